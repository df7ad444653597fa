import type { Changes, GoalRecord, LedgerChanges, TaskChange } from '../domain/goal-record.ts';
import { goalScope } from '../domain/budget-scopes.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { Approval } from '../domain/schemas/approval.ts';
import type { Artifact } from '../domain/schemas/artifact.ts';
import type { BudgetAmounts } from '../domain/schemas/budget.ts';
import type { GoalEvent, Output } from '../domain/schemas/event.ts';
import type { GoalHead, GoalState, GoalSubmission, TaskStatus } from '../domain/schemas/goal.ts';
import type { Plan } from '../domain/schemas/plan.ts';

/** A validated plan with what was made of it. */
export interface RecordedPlan {
  readonly plan: Plan;
  readonly outline: PlanOutline;
  readonly params: JsonObject;
}

/** What the goal's row keeps of its submission beside the head. */
export interface RecordedSubmission {
  readonly documents: NonNullable<GoalSubmission['documents']>;
  /** Of the body, to tell whether an idempotency key came with the same one; null for sub-goals. */
  readonly bodyHash: string | null;
  /** Subject of the token that it came with; none for sub-goals. */
  readonly submittedBy?: string | undefined;
}

export interface PreparedPlan {
  readonly recorded: RecordedPlan;
  readonly planJson: string;
  readonly paramsJson: string;
}

/** A touched task as the stores keep it. Texts are JSON. */
export interface TaskWrite {
  readonly taskId: string;
  readonly id: string;
  /** -1: the task itself. */
  readonly item: number;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly seq: number;
  readonly stateJson: string;
  readonly outputJson: string | null;
  readonly artifactJson: string | null;
  /** The value that the two texts before say; null: none. */
  readonly output: Output | null;
}

/** A webhook's delivery of one of the commit's events, written with it. */
export interface DeliveryWrite {
  readonly id: string;
  readonly webhookId: string;
  readonly endpoint: string;
  /** Of a goal's callback; null: the webhook's. */
  readonly url: string | null;
  readonly event: Pick<GoalEvent, 'seq' | 'type'>;
}

/** What a commit changes of budgets. */
export interface LedgerWrite extends LedgerChanges {
  readonly opened: { readonly scope: string; readonly limit: BudgetAmounts } | null;
}

/** What one commit changes of one goal. Texts are JSON, made once for both stores. */
export interface GoalWrite {
  readonly goal: GoalRef;
  /** The `seq` the commit builds on; 0: the goal is new. */
  readonly baseSeq: number;
  readonly state: GoalState;
  readonly stateJson: string;
  readonly marks: string;
  readonly created: {
    readonly head: GoalHead;
    readonly headJson: string;
    readonly submission: RecordedSubmission;
  } | null;
  readonly plan: (PreparedPlan & { readonly revision: number; readonly outlineJson: string }) | null;
  readonly events: readonly { readonly event: GoalEvent; readonly dataJson: string }[];
  readonly tasks: readonly TaskWrite[];
  /** Tasks whose rows, and those of their items, go, as far as they are older than this `seq`. */
  readonly removed: ReadonlyMap<string, number>;
  readonly approvals: readonly Approval[];
  /** Null for nearly all: what follows for budgets, its own when the goal is new and has one. */
  readonly ledger: LedgerWrite | null;
  /** Null for nearly all. */
  readonly parked: Changes['parked'];
  readonly artifacts: readonly { readonly artifact: Artifact; readonly taskId: string | null; readonly at: string }[];
  readonly deliveries: readonly DeliveryWrite[];
}

export const goalKey = ({ tenant, goalId }: GoalRef): string => `${tenant}/${goalId}`;

/** What a fold left in `changes`, as the stores take it. */
export function goalWrite(
  goal: GoalRef,
  {
    record,
    changes,
    baseSeq,
    events,
  }: {
    readonly record: GoalRecord;
    readonly changes: Changes;
    readonly baseSeq: number;
    readonly events: GoalWrite['events'];
  },
  given: {
    readonly plan?: PreparedPlan | undefined;
    readonly submission?: RecordedSubmission | undefined;
    readonly deliveries?: readonly DeliveryWrite[];
  } = {},
): GoalWrite {
  const { head, state, marks } = record;
  const submission = given.submission ?? { documents: [], bodyHash: null };
  const isNew = baseSeq === 0;
  return {
    goal,
    baseSeq,
    state,
    stateJson: JSON.stringify(state),
    marks: [...marks].join(' '),
    created: isNew && head ? { head, headJson: JSON.stringify(head), submission } : null,
    plan:
      changes.plan && given.plan
        ? { ...given.plan, revision: changes.plan.revision, outlineJson: JSON.stringify(changes.plan) }
        : null,
    events,
    tasks: [...changes.tasks.values()].map(taskWrite),
    removed: new Map(changes.removed),
    approvals: [...changes.approvals.values()],
    artifacts: [...changes.artifacts.values()],
    deliveries: given.deliveries ?? [],
    parked: changes.parked,
    ledger: ledgerWrite(isNew ? head : null, changes.ledger),
  };
}

function ledgerWrite(created: GoalHead | null, changes: LedgerChanges | null): LedgerWrite | null {
  const opened = created?.budget ? { scope: goalScope(created.id), limit: created.budget } : null;
  return opened || changes ? { opened, settled: changes?.settled ?? [], raised: changes?.raised ?? [] } : null;
}

function taskWrite({ taskId, state: { artifact, ...state }, seq, output }: TaskChange): TaskWrite {
  const { id, index } = parseTaskId(taskId);
  return {
    taskId,
    id,
    item: index ?? -1,
    status: state.status,
    attempt: state.attempt,
    seq,
    stateJson: JSON.stringify(state),
    outputJson: output === undefined ? null : JSON.stringify(output),
    artifactJson: artifact === undefined ? null : JSON.stringify(artifact),
    output: artifact ? { artifact } : output === undefined ? null : { output },
  };
}
