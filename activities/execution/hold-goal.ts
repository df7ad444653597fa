import { acceptedStateOf, startTimeOf, waitForGoals, waitForTime } from '../../domain/goal-beginning.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { CascadeStore } from '../../stores/postgres/cascades.ts';
import type { AwaitedGoal, GoalWaits } from '../../stores/postgres/goal-waits.ts';
import type { GoalHold, KernelActivities, PlanGoalArgs } from '../contract.ts';
import { recordSubmission } from '../planner/record-planning.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly goalWaits: Pick<GoalWaits, 'standing'>;
  readonly cascades: Pick<CascadeStore, 'cancelledSince'>;
}

interface Look {
  readonly hold: GoalHold;
  readonly drafts: readonly EventDraft[];
}

/**
 * A goal that may not begin at once.
 *
 * 1. The goal is in the record before a cancel of its cascade is looked for: see `CascadeStore`.
 * 2. Nothing here is remembered: each look finds out anew, so it does no harm that it is repeated.
 */
export function createHoldGoal(deps: Deps): KernelActivities['holdGoal'] {
  const { recorder } = deps;
  return async (args) => {
    const { waitingFor } = acceptedStateOf(args);
    await recordSubmission(recorder, args, waitingFor ? [draft('goal.waiting', { waitingFor })] : []);
    const { hold, drafts } = await look(deps, args);
    if (drafts.length > 0) await recorder.record(args.goal, drafts);
    return hold;
  };
}

async function look({ goalWaits, cascades }: Deps, { goal, submission, submittedAt }: PlanGoalArgs): Promise<Look> {
  const { cascadeId, dependsOnGoalIds = [] } = submission;
  const cancel = cascadeId === undefined ? null : await cascades.cancelledSince(goal.tenant, cascadeId, submittedAt);
  if (cancel) return { hold: { kind: 'cancelled', reason: cancel.reason }, drafts: [] };

  const awaited = await goalWaits.standing(goal, dependsOnGoalIds);
  const lost = awaited.find(({ status }) => status === 'failed' || status === 'cancelled');
  if (lost) return { hold: { kind: 'failed', error: dependencyFailed(lost) }, drafts: [] };
  const open = awaited.flatMap(({ goalId, status }) => (status === 'completed' ? [] : [goalId]));
  if (open.length > 0)
    return { hold: { kind: 'goals' }, drafts: [draft('goal.waiting', { waitingFor: waitForGoals(open) })] };

  const startAt = startTimeOf(submission, submittedAt);
  const seconds = startAt === null ? 0 : (Date.parse(startAt) - Date.now()) / 1_000;
  return startAt !== null && seconds > 0
    ? { hold: { kind: 'time', seconds }, drafts: [draft('goal.waiting', { waitingFor: waitForTime(startAt) })] }
    : { hold: { kind: 'free' }, drafts: [draft('goal.released', {})] };
}

const dependencyFailed = ({ goalId, status }: AwaitedGoal): ErrorInfo => ({
  code: 'ASTRA_DEPENDENCY_FAILED',
  message: `The goal ${goalId}, which had to complete first, is ${status ?? 'gone'}. See why, then submit both anew.`,
  retryable: false,
});
