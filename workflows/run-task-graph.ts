import { condition, workflowInfo } from '@temporalio/workflow';
import type { SegmentResult, TaskOutcome, Undone } from '../activities/contract.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import { kernel, segments } from './activities.ts';
import { amendPlan } from './amend-plan.ts';
import { askWhenParked } from './ask-for-budget.ts';
import { isUndone } from './call-tool.ts';
import { createFlight, type Flight, type Stage } from './flight.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';
import { proposeChange, reopenChanges, type Flights } from './propose-change.ts';
import { failureOf, isMending } from './replan.ts';
import { runTask, waits } from './run-task.ts';
import { groupTasks, runTogether } from './run-together.ts';

/** Tasks of one goal under way at once, but for waits. The server allows 2,000 pending activities an execution. */
const maxUnderWay = 500;
/** Events of a history that waits for children; the server ends an execution at 51,200. */
const longestHistory = 25_000;

export type GraphEnding =
  | { readonly kind: 'completed' }
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  /** The history is long: to be gone on with in a new one. */
  | { readonly kind: 'continued' };

/**
 * Runs the goal's graph until nothing is left, or until its history should be begun anew.
 *
 * 1. A task starts once its dependencies are settled, the longest remaining path first.
 * 2. A task is settled in the graph only after its outcome is recorded.
 * 3. A history is begun anew only while nothing but waits and approvals is under way: those can be opened again.
 *    What one of them has come to by then is settled first: a vote and an event are taken once.
 * 4. While the goal is paused nothing starts.
 * 5. When this answers or throws, nothing is under way any more.
 *
 * @param begun what came of the graph's first segment, which ran as the goal was planned
 */
export async function runTaskGraph(run: GoalRun, begun: SegmentResult | null): Promise<GraphEnding> {
  const flight = createFlight(maxUnderWay);
  const flights = { flight, asking: createFlight() };
  run.control.amend = (message) => amendPlan(run, flight, message);
  askWhenParked(run, flight);
  run.control.propose = (change) => proposeChange(run, flights, change);
  reopenChanges(run, flights);
  try {
    if (begun) await settleSegment(run, flight, run.graph.takeSegment(), begun);
    return await runFlight(run, flights);
  } catch (error) {
    flight.cancel({ onlyWaits: false });
    await flight.landed();
    throw error;
  } finally {
    run.control.amend = null;
    run.control.propose = null;
    run.control.ended = true;
    if (run.proposed.size > 0) await flights.asking.suspend();
  }
}

async function runFlight(run: GoalRun, { flight, asking }: Flights): Promise<GraphEnding> {
  const { page, pause } = run;
  for (;;) {
    await condition(() => !run.amending);
    const { graph } = run;
    const { isPaused } = pause;
    const draining = !graph.halted && !graph.done && isHistoryLong(flight);
    if (draining && flight.onlyWaits) {
      await suspend(run, { flight, asking });
      if (!run.graph.halted) return { kind: 'continued' };
    }
    if (!draining && !isPaused) dispatch(run, flight);
    const isCertain = graph.failedTask !== null && !isMending(run, flight);
    page.showProgress(graph);
    if (isOver(run, flight)) return endingOf(failureOf(run));
    if (isCertain) endWaits(run, flight);
    await flight.next(() => pause.isPaused !== isPaused);
  }
}

async function suspend({ control, proposed }: GoalRun, { flight, asking }: Flights): Promise<void> {
  control.continuing = true;
  await flight.suspend();
  if (proposed.size > 0) await asking.suspend();
}

/** The goal's outcome is certain; it does not wait for a person or a date to say so. */
function endWaits({ parking }: GoalRun, flight: Flight): void {
  parking.close();
  flight.cancel({ onlyWaits: true });
}

const isOver = ({ graph, pause }: GoalRun, flight: Flight): boolean =>
  flight.size === 0 && (!pause.isPaused || graph.done);

const endingOf = (error: ErrorInfo | null): GraphEnding => (error ? { kind: 'failed', error } : { kind: 'completed' });

/** Sub-goals and wide maps may take days: while one runs, other tasks go on for as long as the server lets them. */
function isHistoryLong(flight: Flight): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested && (!flight.has('children') || historyLength > longestHistory);
}

function dispatch(run: GoalRun, flight: Flight): void {
  const { graph } = run;
  // A segment may leave tasks to activities.
  const inline = flight.busy < maxUnderWay ? graph.takeSegment() : [];
  for (;;) {
    const ready = graph.takeReady(Math.max(0, maxUnderWay - flight.busy));
    if (ready.length === 0) break;
    for (const group of groupTasks(run, ready)) {
      const [only] = group;
      if (only && group.length === 1) startTask(run, flight, only);
      else startTogether(run, flight, group);
    }
  }
  // Last, because a local activity holds back the commands of its workflow task until it ends.
  if (inline.length > 0) flight.start(() => runSegment(run, flight, inline), { waits: false });
}

/** @param made what came of an attempt that the task shared with others */
function startTask(run: GoalRun, flight: Flight, task: TaskOutline, made?: Undone): void {
  const { running, waiting } = run.graph.progress();
  // Nothing is recorded any more of other tasks either.
  const last = running === 1 && waiting === 0 && flight.size === 0;
  const work = async (stage: Stage): Promise<void> => {
    const outcome = await runTask(run, task, { last, stage, made });
    if (outcome?.goalCompleted) run.end.completed = true;
    if (outcome && !run.superseded.has(task.id)) await recordSkipped(run, settle(run, task, outcome));
  };
  flight.start(work, {
    waits: waits(task),
    children: task.kind === 'goal' || task.kind === 'map',
    taskId: task.id,
  });
}

function startTogether(run: GoalRun, flight: Flight, tasks: readonly TaskOutline[]): void {
  const calls = tasks.map((task) => ({ task, taskId: task.id }));
  const work = (): Promise<void> =>
    runTogether(run, calls, async ({ task }, outcome) => {
      if (!isUndone(outcome)) return recordSkipped(run, settle(run, task, outcome));
      if (!run.graph.halted) return startTask(run, flight, task, outcome);
      return recordSkipped(run, run.graph.release([task.id]));
    });
  flight.start(work, { waits: false });
}

async function runSegment(run: GoalRun, flight: Flight, tasks: readonly TaskOutline[]): Promise<void> {
  const inARow = run.segmentsInARow ? segments : kernel;
  const result = await inARow.runSegment({ goal: run.goal, taskIds: tasks.map((task) => task.id) });
  await settleSegment(run, flight, tasks, result);
}

async function settleSegment(
  run: GoalRun,
  flight: Flight,
  tasks: readonly TaskOutline[],
  { outcomes, deferred, apart }: SegmentResult,
): Promise<void> {
  const { graph } = run;
  const late = new Set(deferred);
  const notReached = tasks.flatMap(({ id }) => (outcomes[id] || late.has(id) ? [] : [id]));
  run.segmentsInARow = notReached.length > 0;
  if (apart) graph.leaveSegments();
  const skipped = [...graph.release(notReached)];
  // No promise for each task: where the SDK keeps their stacks, 10,000 of them took a second and a half.
  for (const task of tasks) {
    const outcome = outcomes[task.id];
    if (outcome) skipped.push(...settle(run, task, outcome));
    else if (late.has(task.id) && !graph.halted && !run.pause.isPaused) startTask(run, flight, task);
    else if (late.has(task.id)) skipped.push(...graph.release([task.id]));
  }
  await recordSkipped(run, skipped);
}

/** @returns the tasks that are skipped thereby */
function settle(run: GoalRun, task: TaskOutline, outcome: TaskOutcome): readonly string[] {
  const skipped = run.graph.settle(task.id, outcome.status);
  run.policy?.onEnd(outcome.status);
  if (outcome.status === 'failed' && task.onFailure !== 'continue') {
    const { code, message } = outcome.error;
    run.failures.set(task.id, {
      code: 'ASTRA_TASK_FAILED',
      message: `Task "${task.id}" failed with ${code}: ${message}`,
      retryable: false,
    });
  }
  // Not by its goal, which would not get here any more: an operator has ended it.
  if (outcome.status === 'cancelled') {
    const message = `Task "${task.id}" was cancelled.`;
    run.failures.set(task.id, { code: 'ASTRA_TASK_FAILED', message, retryable: false });
  }
  return skipped;
}

async function recordSkipped({ goal }: GoalRun, ids: readonly string[]): Promise<void> {
  await recordEvents(goal, ...ids.map((id) => draft('task.skipped', { reason: 'upstream_skipped' }, id)));
}
