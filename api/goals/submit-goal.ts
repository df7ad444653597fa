import { AstraError } from '../../domain/errors.ts';
import { requireStartTime } from '../../domain/goal-beginning.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalList } from '../../stores/postgres/goal-list.ts';
import type { Admission } from '../admission/admission.ts';
import { hashBody } from './body-hash.ts';
import { checkSubmission, type CheckSubmissionDeps } from './check-submission.ts';
import type { GoalEngine } from './goal-engine.ts';
import { createGoalId } from './goal-id.ts';
import type { NewGoal } from './read-workflow-input.ts';
import { requireKnownGoals } from './require-known-goals.ts';

export interface SubmitGoalDeps extends CheckSubmissionDeps {
  readonly engine: Pick<GoalEngine, 'start' | 'find'>;
  readonly admission: Admission;
  readonly goalList: Pick<GoalList, 'bodyHash' | 'findRecorded'>;
}

export interface SubmittedGoal {
  readonly goalId: GoalId;
  /** The goal as it was started; null when an earlier request with the same key and body had started it. */
  readonly started: NewGoal | null;
}

/** How long a first look at the record may take; without it Temporal alone says whether the key was used. */
const recordPatienceMs = 500;

export type SubmitGoal = (
  tenant: string,
  body: unknown,
  options: {
    readonly idempotencyKey: string | undefined;
    /** Of the token, whose goal it is when the subject is to be forgotten. */
    readonly subject?: string | undefined;
  },
) => Promise<SubmittedGoal>;

/**
 * Checks a submission and starts its workflow, which is the one durable write.
 * @throws (from the function) ASTRA_BODY_INVALID, ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID,
 * ASTRA_MODEL_NOT_CONFIGURED, ASTRA_IDEMPOTENCY_CONFLICT, ASTRA_OVERLOADED, ASTRA_UNAVAILABLE
 */
export function createSubmitGoal(deps: SubmitGoalDeps): SubmitGoal {
  const { engine, admission, goalList } = deps;

  return async (tenant, body, { idempotencyKey, subject }) => {
    const submission = await checkSubmission(deps, tenant, body);
    const goalId = createGoalId(tenant, idempotencyKey);
    // Without a key the id is new, and nobody will ever ask for it with a body.
    const bodyHash = idempotencyKey === undefined ? null : hashBody(submission);

    // Temporal forgets goals after its retention; the record does not, and a goal must not run twice for one key.
    const recorded = idempotencyKey === undefined ? null : await recordedHash(goalList, tenant, goalId);
    if (recorded !== null) return requireSameBody(goalId, recorded, bodyHash);
    requireStartTime(submission, Date.now());
    await requireKnownGoals(deps, tenant, submission.dependsOnGoalIds ?? []);

    const started: NewGoal = {
      tenant,
      goalId,
      submission,
      submittedAt: new Date().toISOString(),
      parentGoalId: null,
      bodyHash,
      submittedBy: subject,
      depth: 0,
    };
    if (await admission.admit({ tenant, goalId }, () => engine.start(started))) return { goalId, started };
    const earlier = await engine.find(tenant, goalId);
    return requireSameBody(goalId, earlier?.bodyHash ?? (await goalList.bodyHash(tenant, goalId)), bodyHash);
  };
}

async function recordedHash(
  goalList: Pick<GoalList, 'bodyHash'>,
  tenant: string,
  goalId: GoalId,
): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), recordPatienceMs);
  });
  try {
    // Postgres away must not stop submissions.
    return await Promise.race([goalList.bodyHash(tenant, goalId).catch(() => null), patience]);
  } finally {
    clearTimeout(timer);
  }
}

function requireSameBody(goalId: GoalId, earlier: string | null, bodyHash: string | null): SubmittedGoal {
  if (earlier === bodyHash) return { goalId, started: null };
  throw new AstraError(
    'ASTRA_IDEMPOTENCY_CONFLICT',
    `The Idempotency-Key was used for the goal ${goalId} with another body. Send the same body, or a new key.`,
  );
}
