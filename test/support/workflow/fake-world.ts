import { setTimeout as sleep } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import type {
  Activities,
  ExecuteTaskResult,
  OpenedTask,
  PlanGoalArgs,
  SegmentResult,
  Slots,
  TaskOutcome,
  TaskRef,
} from '../../../activities/contract.ts';
import { createGoalGraph } from '../../../domain/goal-graph.ts';
import type { PlanOutline, TaskOutline } from '../../../domain/plan-outline.ts';
import type { ErrorInfo } from '../../../domain/schemas/common.ts';
import type { EventDraft } from '../../../domain/schemas/event.ts';

/** How the world of a scenario behaves, as far as it does not simply succeed. */
export interface Behaviour {
  readonly outline: PlanOutline | ((args: PlanGoalArgs) => PlanOutline);
  /** How long planning takes. */
  readonly planMs?: number;
  /** Called for each attempt of a tool task or item; `last` when the workflow says that it is. */
  readonly execute?: (
    taskId: string,
    about: { readonly attempt: number; readonly last: boolean },
  ) => Promise<ExecuteTaskResult> | ExecuteTaskResult;
  readonly opened?: { readonly [taskId: string]: OpenedTask | ((ref: TaskRef) => OpenedTask) };
  /** Inline tasks that a segment leaves to activities, and those it does not reach at its first call. */
  readonly deferred?: readonly string[];
  readonly late?: readonly string[];
  readonly inlineFailures?: readonly string[];
  /** What the goal is told each time it asks for its slots, the first time as it begins. No limit applies unless given. */
  readonly slots?: readonly (Slots | { readonly error: ErrorInfo })[];
}

export interface FakeWorld {
  readonly activities: Activities;
  /** Everything that was asked for, in order: `executeTask a`, `closeTask b failed`. */
  readonly calls: readonly string[];
  readonly events: readonly EventDraft[];
}

const completed: TaskOutcome = { status: 'completed' };
const failure = { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: true };

/** Activities typed by the contract that touch nothing: what a workflow asks for is all that is looked at. */
export function createFakeWorld(behaviour: Behaviour): FakeWorld {
  const calls: string[] = [];
  const events: EventDraft[] = [];
  const reached = new Set<string>();

  const answers = [...(behaviour.slots ?? [])];
  const nextSlots = (): { readonly slots?: Slots } | { readonly error: ErrorInfo } => {
    const answer = answers.shift();
    if (answer === undefined) return {};
    return typeof answer === 'object' && 'error' in answer ? answer : { slots: answer };
  };

  const outlineOf = (args: PlanGoalArgs): PlanOutline =>
    typeof behaviour.outline === 'function' ? behaviour.outline(args) : behaviour.outline;

  function segmentOf(tasks: readonly Pick<TaskOutline, 'id' | 'kind'>[]): SegmentResult {
    const now = tasks.filter(({ id }) => !behaviour.late?.includes(id) || reached.has(id));
    for (const { id } of tasks) reached.add(id);
    // Maps are taken to be long ones.
    const isDeferred = ({ id, kind }: Pick<TaskOutline, 'id' | 'kind'>): boolean =>
      kind === 'map' || behaviour.deferred?.includes(id) === true;
    const outcomeOf = (id: string): TaskOutcome =>
      behaviour.inlineFailures?.includes(id) ? { status: 'failed', error: failure } : completed;
    return {
      outcomes: Object.fromEntries(now.filter((task) => !isDeferred(task)).map(({ id }) => [id, outcomeOf(id)])),
      deferred: now.filter(isDeferred).map(({ id }) => id),
    };
  }

  const activities: Activities = {
    recordSubmission: async () => {
      calls.push('recordSubmission');
      return nextSlots();
    },
    takeSlots: async () => {
      calls.push('takeSlots');
      const next = nextSlots();
      return 'error' in next ? next : (next.slots ?? null);
    },
    giveBackSlots: async () => {
      calls.push('giveBackSlots');
    },
    beginGoal: async (args) => {
      const outline = outlineOf(args);
      const graph = createGoalGraph(outline);
      const slots = nextSlots();
      if ('error' in slots) return slots;
      const waits = args.submission.approval?.plan === 'required' || typeof slots.slots === 'object';
      const first = (args.planOnly ?? waits) ? [] : graph.takeSegment();
      calls.push(['beginGoal', ...first.map(({ id }) => id)].join(' '));
      await sleep(behaviour.planMs ?? 0);
      const begun = first.length > 0 ? segmentOf(first) : null;
      const ended = Object.values(begun?.outcomes ?? {});
      const completed = ended.length === outline.tasks.length && ended.every(({ status }) => status === 'completed');
      return { outline, begun, completed, ...slots };
    },
    planGoalWithModel: async (args) => {
      calls.push('planGoalWithModel');
      return { outline: outlineOf(args) };
    },
    recordEvents: async (args) => {
      events.push(...args.events);
      calls.push(...args.events.map(({ type, taskId }) => `record ${type}${taskId === null ? '' : ` ${taskId}`}`));
    },
    runSegment: async ({ taskIds }) => {
      calls.push(`runSegment ${taskIds.join(' ')}`);
      return segmentOf(taskIds.map((id) => ({ id, kind: 'tool' })));
    },
    runMapSegment: async ({ from }) => {
      calls.push(`runMapSegment ${from}`);
      return { next: from + 40, failed: 0, deferred: from === 0 ? [7] : [] };
    },
    openTask: async (ref) => {
      calls.push(`openTask ${ref.taskId}`);
      const opened = behaviour.opened?.[ref.taskId] ?? { settled: completed };
      return typeof opened === 'function' ? opened(ref) : opened;
    },
    closeTask: async ({ task, ending }) => {
      calls.push(`closeTask ${task.taskId} ${ending.kind}`);
      if (ending.kind === 'failed') return { status: 'failed', error: ending.error };
      return ending.kind === 'cancelled' ? { status: 'cancelled' } : completed;
    },
    completeGoal: async () => {
      calls.push('completeGoal');
      return { error: null };
    },
    executeTask: async ({ taskId, last = false }) => {
      const { attempt } = Context.current().info;
      calls.push(`executeTask ${taskId}`);
      return (await behaviour.execute?.(taskId, { attempt, last })) ?? completed;
    },
  };
  return { activities, calls, events };
}

/** A tool that runs until it is cancelled. */
export async function untilCancelled(): Promise<TaskOutcome> {
  const context = Context.current();
  const beat = setInterval(() => heartbeat(), 200);
  await context.cancelled.catch(() => undefined);
  clearInterval(beat);
  return { status: 'cancelled' };
}

/** A tool whose worker is lost: it neither heartbeats nor ends before its worker does. */
export async function lost(): Promise<TaskOutcome> {
  await Context.current().cancelled.catch(() => undefined);
  return { status: 'cancelled' };
}
