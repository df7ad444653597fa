import { ActivityFailure, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { AskPlannerResult } from '../activities/contract.ts';
import { revisionOf } from '../domain/goal-ref.ts';
import type { ReplanTerms } from '../domain/replans.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import { replanner } from './activities.ts';
import { tryAmend } from './amend-plan.ts';
import type { Flight } from './flight.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';

/** How a goal mends its plan, and what has come of it. */
export interface Replans extends ReplanTerms {
  used: number;
  underWay: boolean;
  /** The planner has said that there is nothing to be done. */
  givenUp: boolean;
  /** Why the last change was not made. */
  refusal: ErrorInfo | null;
}

export const startReplans = (terms: ReplanTerms & { readonly used?: number }): Replans => ({
  used: 0,
  ...terms,
  underWay: false,
  givenUp: false,
  refusal: null,
});

/**
 * Asks the goal's planner how to go on without the task that has failed, once at a time and as often as the goal lets it.
 * Meanwhile nothing starts and what is under way goes on, waits and approvals too.
 * @returns is the planner being asked? Else the failure is the goal's
 */
export function isMending(run: GoalRun, flight: Flight): boolean {
  const { replans, graph, pause } = run;
  if (!replans || graph.failedTask === null) return false;
  const { failedTask } = graph;
  const isLeft = !replans.givenUp && replans.used < replans.limit;
  // To be asked once the goal is resumed.
  if (pause.isPaused && isLeft) return true;
  if (!replans.underWay && isLeft) {
    replans.used += 1;
    replans.underWay = true;
    // As what waits: it takes no room, and a change waits for what several tasks share, which it is not.
    flight.start(() => replan(run, flight, { replans, failedTask }), { waits: true });
  }
  return replans.underWay;
}

interface Attempt {
  readonly replans: Replans;
  readonly failedTask: string;
}

async function replan(run: GoalRun, flight: Flight, { replans, failedTask }: Attempt): Promise<void> {
  const { goal } = run;
  const changeId = `${goal.goalId}/replan/${revisionOf(goal)}/${replans.used}`;
  const about = { changeId, failedTask, by: `planner:${replans.planner}` };
  try {
    const asked = await askWhileUnchanged(run, { replans, failedTask }, changeId);
    if (!asked) return;
    replans.givenUp = asked.kind === 'none';
    replans.refusal = asked.kind === 'proposed' ? await tryAmend(run, flight, about) : errorOf(asked);
    if (!replans.refusal) return;
    const { by, ...data } = about;
    const rejected = { revision: revisionOf(goal), by, comment: null, ...data, error: replans.refusal };
    await recordEvents(run.goal, draft('plan.rejected', rejected));
  } catch (error) {
    // Asked again where the goal goes on, should it still have to be.
    if (!(run.control.continuing && isCancellation(error))) throw error;
  } finally {
    replans.underWay = false;
  }
}

/** Null: somebody else has changed the plan meanwhile, which is looked at anew. */
async function askWhileUnchanged(run: GoalRun, attempt: Attempt, changeId: string): Promise<AskPlannerResult | null> {
  const { goal } = run;
  const scope = new CancellationScope();
  const asked = scope.run(() => askPlanner(run, attempt, changeId));
  // A cancel waits until the planner has stopped.
  const changed = CancellationScope.nonCancellable(() => condition(() => run.goal !== goal));
  const answer = await Promise.race([asked, changed.then(() => null)]);
  if (answer && run.goal === goal) return answer;
  scope.cancel();
  await asked.catch(() => undefined);
  return null;
}

async function askPlanner(run: GoalRun, attempt: Attempt, changeId: string): Promise<AskPlannerResult> {
  const { used, limit, refusal } = attempt.replans;
  try {
    return await replanner.askPlanner({
      goal: run.goal,
      taskId: attempt.failedTask,
      changeId,
      attempt: used,
      limit,
      refusal: refusal?.message ?? null,
    });
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const message = `The planner was lost each time that it was asked: ${error.cause?.message ?? error.message}`;
    return { kind: 'refused', error: { code: 'ASTRA_REPLAN_FAILED', message, retryable: false } };
  }
}

const errorOf = (asked: Exclude<AskPlannerResult, { kind: 'proposed' }>): ErrorInfo =>
  asked.kind === 'refused'
    ? asked.error
    : { code: 'ASTRA_REPLAN_FAILED', message: 'The planner sees nothing to be done.', retryable: false };

/** Why the goal fails: the first of its failures counts. Null: it does not. */
export function failureOf({ failures, replans }: GoalRun): ErrorInfo | null {
  const [first] = failures.values();
  if (!first || !replans || replans.used === 0) return first ?? null;
  const tried = replans.used === 1 ? '1 replan was tried' : `${replans.used} replans were tried`;
  const last = replans.refusal ? `; of the last: ${replans.refusal.message}` : '';
  return { ...first, message: `${first.message} (${tried}${last})` };
}
