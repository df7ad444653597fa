import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { bindingOf, type TaskOutline } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import { createTaskGraph, type SettledStatus } from '../../domain/task-graph.ts';
import type { InlineResult } from '../tools/inline-pool.ts';
import { draft } from './drafts.ts';
import { inlineEnd } from './inline-end.ts';
import { runQuickMap } from './run-quick-map.ts';
import { sliceMs, type Segment, type SegmentDeps } from './segment.ts';
import { prepareCall, type ToolCall } from './tool-call.ts';

/** What came of a segment. Nothing of it is recorded yet. */
export interface SegmentCourse {
  readonly drafts: readonly EventDraft[];
  /** Tasks that are not for a segment after all. */
  readonly deferred: readonly string[];
  /** Has every task of the segment settled, and none so that the goal fails? */
  readonly finished: boolean;
}

/** Tasks whose calls go to the pool together: what is ready at once, up to a fraction of a segment's time. */
const waveTasks = 500;

/** The events of a task, its end last; null: it is not for a segment; undefined: there was no time for it. */
export type InlineOutcome = readonly EventDraft[] | null | undefined;

/** Runs a segment's tasks wave by wave: all that are ready go to the threads in one message a tool. */
export async function followGraph(deps: SegmentDeps, segment: Segment): Promise<SegmentCourse> {
  const { tasks, settled, budgetMs, unrecorded } = segment;
  const graph = createTaskGraph({ tasks }, settled);
  const deadline = performance.now() + budgetMs;
  const drafts: EventDraft[] = [];
  const deferred: string[] = [];
  const settle = (task: TaskOutline, events: readonly EventDraft[]): void => {
    drafts.push(...events);
    const end = events.at(-1);
    unrecorded.outputs.set(task.id, end?.type === 'task.completed' ? end.data : null);
    for (const id of graph.settle(task.id, statusOf(end))) {
      unrecorded.outputs.set(id, null);
      drafts.push(draft('task.skipped', { reason: 'upstream_skipped' }, { taskId: id }));
    }
  };
  for (let wave = graph.takeReady(waveTasks); wave.length > 0; wave = graph.takeReady(waveTasks)) {
    for (const [task, outcome] of await runWave(deps, segment, wave, deadline)) {
      if (outcome) settle(task, outcome);
      else if (outcome === null) deferred.push(task.id);
    }
    if (performance.now() >= deadline) break;
  }
  const { completed, failed, skipped, total } = graph.progress();
  return { drafts, deferred, finished: !graph.halted && completed + failed + skipped === total };
}

const statusOf = (end: EventDraft | undefined): SettledStatus =>
  end?.type === 'task.completed' ? 'completed' : end?.type === 'task.failed' ? 'failed' : 'skipped';

async function runWave(
  deps: SegmentDeps,
  segment: Segment,
  wave: readonly TaskOutline[],
  deadline: number,
): Promise<readonly (readonly [TaskOutline, InlineOutcome])[]> {
  const startedAt = new Date().toISOString();
  const outcomes = new Map<TaskOutline, InlineOutcome>();
  const calls = new Map<TaskOutline, ToolCall>();
  const endWith = async (task: TaskOutline, work: () => Promise<InlineOutcome>): Promise<void> => {
    outcomes.set(task, await work().catch((error: unknown) => failureOf(deps, segment, task, { error, startedAt })));
  };
  const prepare = (task: TaskOutline): Promise<void> =>
    endWith(task, async () => {
      if (task.kind === 'map') return runQuickMap(deps, segment, task, { deadline, startedAt });
      const planned = await deps.scopes.find(segment.goal, task.id, segment.unrecorded);
      const call = await prepareCall(deps.scopes, segment.goal, planned, segment.unrecorded);
      if (!call) return [draft('task.skipped', { reason: 'condition' }, { taskId: task.id })];
      calls.set(task, call);
      return undefined;
    });
  await Promise.all(wave.map(prepare));
  const results = await runCalls(deps, calls, deadline);
  await Promise.all(
    results.map(([task, result]) => endWith(task, () => endOf(deps, segment, { taskId: task.id, startedAt }, result))),
  );
  return wave.map((task) => [task, outcomes.get(task)]);
}

/** One message to the threads for each tool. */
async function runCalls(
  { inlinePool }: SegmentDeps,
  calls: ReadonlyMap<TaskOutline, ToolCall>,
  deadline: number,
): Promise<readonly (readonly [TaskOutline, InlineResult])[]> {
  const budgetMs = Math.max(1, deadline - performance.now());
  const ofTools = [...Map.groupBy(calls, ([, { tool }]) => tool)];
  const results = await Promise.all(
    ofTools.map(async ([tool, group]) => {
      const answers = await inlinePool.runMany(
        tool,
        group.map(([, { input }]) => input),
        { sliceMs, budgetMs },
      );
      return group.map(([task], place) => [task, answers[place] ?? { deferred: 'not_reached' }] as const);
    }),
  );
  return results.flat();
}

async function endOf(
  { values }: SegmentDeps,
  { goal }: Segment,
  about: { readonly taskId: string; readonly startedAt: string },
  result: InlineResult,
): Promise<InlineOutcome> {
  if ('deferred' in result) return result.deferred === 'not_reached' ? undefined : null;
  if ('error' in result) throw result.error;
  return [await inlineEnd(values, goal.tenant, about, result)];
}

function failureOf(
  { logger }: SegmentDeps,
  { goal, outline }: Segment,
  task: TaskOutline,
  { error, startedAt }: { readonly error: unknown; readonly startedAt: string },
): InlineOutcome {
  // A store that is away is no fault of the task: the segment runs again once it is back.
  if (error instanceof AstraError && error.code === 'ASTRA_UNAVAILABLE') throw error;
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...goal, taskId: task.id }, 'a task failed unexpectedly');
  const info = toErrorInfo(error);
  // Its retries, with their pauses, are an activity's to do. A map's are its items'.
  if (task.kind === 'tool' && info.retryable && retryOf(task, bindingOf(outline, task)).maxAttempts > 1) return null;
  return [draft('task.failed', { error: info, startedAt }, { taskId: task.id })];
}
