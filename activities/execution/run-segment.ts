import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { bindingOf, type PlanOutline, type TaskOutline } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import { createTaskGraph, type SettledStatus } from '../../domain/task-graph.ts';
import type { Logger } from '../../platform/logger.ts';
import type { KernelActivities, TaskOutcome } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { InlinePool } from '../tools/inline-pool.ts';
import { draft } from './drafts.ts';
import type { TaskScopes } from './task-scope.ts';
import { prepareCall } from './tool-call.ts';
import type { Values } from './values.ts';

export interface SegmentDeps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly inlinePool: InlinePool;
  readonly logger: Pick<Logger, 'error'>;
}

/** A segment begins no task after this long; the workflow asks for another one. */
export const segmentMs = 500;
/** A task that runs longer than this stalls its segment and is moved to an activity of its own. */
export const sliceMs = 100;
/** Calls handed to the pool at once: enough to keep its threads busy. */
const underWay = 8;

/**
 * Runs quick tasks without effects, following the graph among them, and records all that settled in one commit.
 * A task that was recorded by a segment whose answer was lost is not run again.
 */
export function createRunSegment(deps: SegmentDeps): KernelActivities['runSegment'] {
  const { recorder } = deps;
  return async ({ goal, taskIds }) => {
    const { outline } = await recorder.plan(goal);
    const ids = new Set(taskIds);
    const tasks = outline.tasks.filter(({ id }) => ids.has(id));
    const dependencies = tasks.flatMap(({ after }) => after);
    const recorded = await recorder.outcomes(goal, [...new Set([...taskIds, ...dependencies])]);
    const outcomes: Record<string, TaskOutcome> = Object.fromEntries(
      Object.entries(recorded).filter(([id]) => ids.has(id)),
    );
    // The workflow tells of skipped tasks only after it has gone on: of all that end, they alone may lack a record.
    const settled: Record<string, SettledStatus> = Object.fromEntries(
      dependencies.filter((id) => !ids.has(id)).map((id) => [id, 'skipped']),
    );
    for (const [id, { status }] of Object.entries(recorded)) settled[id] = status;

    const { drafts, deferred } = await followGraph(deps, { goal, outline, tasks, settled });
    if (drafts.length > 0) Object.assign(outcomes, (await recorder.record(goal, drafts)).outcomes);
    return { outcomes, deferred };
  };
}

interface Segment {
  readonly goal: GoalRef;
  readonly outline: PlanOutline;
  readonly tasks: readonly TaskOutline[];
  readonly settled: Record<string, SettledStatus>;
}

async function followGraph(deps: SegmentDeps, segment: Segment): Promise<{ drafts: EventDraft[]; deferred: string[] }> {
  const { tasks, settled } = segment;
  const graph = createTaskGraph({ tasks }, settled);
  const deadline = performance.now() + segmentMs;
  const fresh = new Map<string, Output | null>();
  const drafts: EventDraft[] = [];
  const deferred: string[] = [];
  const running = new Map<string, Promise<void>>();

  const runOne = async (task: TaskOutline): Promise<void> => {
    const end = await runInline(deps, segment, task, fresh);
    running.delete(task.id);
    if (!end) {
      deferred.push(task.id);
      return;
    }
    drafts.push(end);
    fresh.set(task.id, end.type === 'task.completed' ? end.data : null);
    const status = end.type === 'task.completed' ? 'completed' : end.type === 'task.failed' ? 'failed' : 'skipped';
    for (const id of graph.settle(task.id, status)) {
      drafts.push(draft('task.skipped', { reason: 'upstream_skipped' }, { taskId: id }));
    }
  };

  for (;;) {
    const ready = performance.now() < deadline ? graph.takeReady(underWay - running.size) : [];
    for (const task of ready) running.set(task.id, runOne(task));
    if (running.size === 0) return { drafts, deferred };
    await Promise.race(running.values());
  }
}

/** The task's end; null when it is not for a segment. */
async function runInline(
  { scopes, inlinePool, values, logger }: SegmentDeps,
  { goal, outline }: Segment,
  task: TaskOutline,
  fresh: ReadonlyMap<string, Output | null>,
): Promise<EventDraft | null> {
  const about = { taskId: task.id };
  const startedAt = new Date().toISOString();
  try {
    const call = await prepareCall(scopes, goal, await scopes.find(goal, task.id), { fresh });
    if (!call) return draft('task.skipped', { reason: 'condition' }, about);
    const answer = await inlinePool.run(call.tool, call.input, { sliceMs });
    if ('deferred' in answer) return null;
    const output = await values.toOutput(goal.tenant, answer.output);
    return draft('task.completed', { ...output, startedAt }, about);
  } catch (error) {
    // A store that is away is no fault of the task: the segment runs again once it is back.
    if (error instanceof AstraError && error.code === 'ASTRA_UNAVAILABLE') throw error;
    if (!(error instanceof AstraError))
      logger.error({ err: error, ...goal, taskId: task.id }, 'a task failed unexpectedly');
    const info = toErrorInfo(error);
    // Its retries, with their pauses, are an activity's to do.
    if (info.retryable && retryOf(task, bindingOf(outline, task)).maxAttempts > 1) return null;
    return draft('task.failed', { error: info, startedAt }, about);
  }
}
