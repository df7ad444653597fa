import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PlanOutline, TaskOutline } from '../../domain/plan-outline.ts';
import type { SettledStatus } from '../../domain/task-graph.ts';
import type { SegmentResult, TaskOutcome } from '../contract.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { InlinePool } from '../tools/inline-pool.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import type { TaskScopes, Unrecorded } from './task-scope.ts';
import type { Values } from './values.ts';

export interface SegmentDeps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly inlinePool: InlinePool;
  readonly budgets: GoalBudgets;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * What the workflow is told of a segment's tasks. An entry of a history holds 2 MB, and why a task failed that was
 * allowed to is nothing to it.
 */
export const outcomesToTell = (
  tasks: readonly TaskOutline[],
  outcomes: Readonly<Record<string, TaskOutcome>>,
): SegmentResult['outcomes'] =>
  Object.fromEntries(
    tasks.flatMap(({ id, onFailure }) => {
      const outcome = outcomes[id];
      if (!outcome) return [];
      const brief = outcome.status === 'failed' && onFailure === 'continue';
      return [[id, brief ? { ...outcome, error: { ...outcome.error, message: '' } } : outcome]];
    }),
  );

/** A segment's time; the workflow then asks for another one. */
export const segmentMs = 500;
/** A task that runs longer than this stalls its segment and is moved to an activity of its own. */
export const sliceMs = 100;

/** Quick tasks to be run together. */
export interface Segment {
  readonly goal: GoalRef;
  readonly outline: PlanOutline;
  /** Their dependencies are settled, or among them. */
  readonly tasks: readonly TaskOutline[];
  readonly settled: Readonly<Record<string, SettledStatus>>;
  /** No task is begun after this long. */
  readonly budgetMs: number;
  /** What the record does not hold yet: grows as tasks end. */
  readonly unrecorded: Unrecorded;
}
