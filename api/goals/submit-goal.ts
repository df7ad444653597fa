import { AstraError } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { validateSubmission } from '../../domain/plan-validation/validate-submission.ts';
import type { GoalList } from '../../stores/postgres/goal-list.ts';
import type { TemplateStore } from '../../stores/postgres/templates.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { Admission } from '../admission/admission.ts';
import { hashBody } from './body-hash.ts';
import type { GoalEngine } from './goal-engine.ts';
import { createGoalId } from './goal-id.ts';
import type { NewGoal } from './read-workflow-input.ts';
import { validateParams } from '../../stores/template-params.ts';

export interface SubmitGoalDeps {
  readonly engine: Pick<GoalEngine, 'start' | 'find'>;
  readonly admission: Admission;
  readonly goalList: Pick<GoalList, 'bodyHash'>;
  readonly templates: Pick<TemplateStore, 'get'>;
  readonly catalogue: ToolCatalogue;
  /** Default model; unset: a goal with an objective alone cannot be planned. */
  readonly model: string | undefined;
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
  const { engine, admission, goalList, catalogue } = deps;

  return async (tenant, body, { idempotencyKey, subject }) => {
    const submission = validateSubmission(body, await catalogue());
    await requirePlanSource(deps, tenant, submission);
    const goalId = createGoalId(tenant, idempotencyKey);
    // Without a key the id is new, and nobody will ever ask for it with a body.
    const bodyHash = idempotencyKey === undefined ? null : hashBody(submission);

    // Temporal forgets goals after its retention; the record does not, and a goal must not run twice for one key.
    const recorded = idempotencyKey === undefined ? null : await recordedHash(goalList, tenant, goalId);
    if (recorded !== null) return requireSameBody(goalId, recorded, bodyHash);

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

async function requirePlanSource(deps: SubmitGoalDeps, tenant: string, submission: GoalSubmission): Promise<void> {
  const { template: call, plan } = submission;
  if (call) {
    const template = await deps.templates.get(tenant, call.name);
    if (!template) {
      throw new AstraError(
        'ASTRA_TEMPLATE_INVALID',
        `There is no template "${call.name}". GET /v1/templates lists them.`,
        {
          faults: [{ pointer: '/template/name', message: 'is not a template of this tenant' }],
        },
      );
    }
    validateParams(template.params, call.params ?? {});
  } else if (!plan && deps.model === undefined) {
    throw new AstraError(
      'ASTRA_MODEL_NOT_CONFIGURED',
      'A goal with an objective alone is planned by a model. Set ASTRA_MODEL_PROVIDER, ASTRA_MODEL, ASTRA_MODEL_API_KEY and, ' +
        'for an endpoint of your own, ASTRA_MODEL_BASE_URL for the API and the workers; or give a plan or a template.',
    );
  }
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
