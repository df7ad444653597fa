import { setTimeout as sleep } from 'node:timers/promises';
import { Context, heartbeat } from '@temporalio/activity';
import type {
  Activities,
  AskPlannerResult,
  ExecuteTaskAnswer,
  GoalHold,
  HeldAttempt,
  OpenedApproval,
  OpenChangeArgs,
  OpenChangeResult,
  OpenedTask,
  PlanGoalArgs,
  RetryDue,
  RetryGoalResult,
  SegmentResult,
  Slots,
  TaskOutcome,
  TaskRef,
} from '../../../activities/contract.ts';
import { createGoalGraph } from '../../../domain/goal-graph.ts';
import type { GoalRef } from '../../../domain/goal-ref.ts';
import type { PlanOutline, TaskOutline } from '../../../domain/plan-outline.ts';
import type { ErrorInfo } from '../../../domain/schemas/common.ts';
import type { EventDraft } from '../../../domain/schemas/event.ts';

/** How the world of a scenario behaves, as far as it does not simply succeed. */
export interface Behaviour {
  readonly outline: PlanOutline | ((args: PlanGoalArgs) => PlanOutline);
  /** What a change makes of the plan; none: it is refused. */
  readonly amended?: PlanOutline | readonly PlanOutline[];
  /** What a planner answers, try after try; the last counts from then on. */
  readonly planner?: readonly (AskPlannerResult | (() => Promise<AskPlannerResult>))[];
  readonly opensChange?: (args: OpenChangeArgs) => OpenChangeResult;
  readonly retried?: RetryGoalResult;
  /** What keeps the goal from beginning, look after look; nothing after the last. */
  readonly holds?: readonly GoalHold[];
  /** How long planning takes. */
  readonly planMs?: number;
  /** Called for each attempt of a tool task or item; `last` and `cleared` when the workflow says that it is. */
  readonly execute?: (
    taskId: string,
    about: {
      readonly attempt: number;
      readonly last: boolean;
      readonly cleared: boolean;
      readonly unparked: boolean;
    },
  ) => Promise<ExecuteTaskAnswer> | ExecuteTaskAnswer;
  readonly opened?: { readonly [taskId: string]: OpenedTask | ((ref: TaskRef) => OpenedTask) };
  /** Inline tasks that a segment leaves to activities, and those it does not reach at its first call. */
  readonly deferred?: readonly string[];
  readonly late?: readonly string[];
  /** Quick tasks whose first attempt, which they share an activity for, fails. */
  readonly retriedTogether?: readonly string[];
  readonly inlineFailures?: readonly string[];
  /** What there is to compensate, a list after the other, and what comes of a task's compensation. */
  readonly compensations?: readonly (readonly string[])[];
  readonly compensate?: (taskId: string) => Promise<void> | void;
  /** The goal's calls are counted one by one: nothing runs in segments. */
  readonly apart?: true;
  /** The question for more budget. */
  readonly asked?: (goal: GoalRef) => OpenedApproval;
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

const retryDue: RetryDue = { status: 'retrying', error: failure, afterSeconds: 1, attempted: 1 };

/** Activities typed by the contract that touch nothing: what a workflow asks for is all that is looked at. */
export function createFakeWorld(behaviour: Behaviour): FakeWorld {
  const calls: string[] = [];
  const events: EventDraft[] = [];
  const reached = new Set<string>();
  let plannedCompensations = 0;

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
    holdGoal: async () => {
      const looks = calls.filter((call) => call.startsWith('holdGoal')).length;
      const hold = behaviour.holds?.[looks] ?? { kind: 'free' };
      calls.push(`holdGoal ${hold.kind}`);
      return hold;
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
      if (behaviour.apart) return { outline, begun: { outcomes: {}, deferred: [], apart: true }, completed: false };
      const begun = first.length > 0 ? segmentOf(first) : null;
      const ended = Object.values(begun?.outcomes ?? {});
      const completed = ended.length === outline.tasks.length && ended.every(({ status }) => status === 'completed');
      return { outline, begun, completed, ...slots };
    },
    planGoalWithModel: async (args) => {
      calls.push('planGoalWithModel');
      return { outline: outlineOf(args) };
    },
    amendPlan: async ({ change, approvalId, failedTask }) => {
      const made = calls.filter((call) => call.startsWith('amendPlan')).length;
      const why = approvalId === undefined ? failedTask : 'approved';
      calls.push(`amendPlan ${change?.baseRevision ?? why}`);
      const outline = [behaviour.amended ?? []].flat()[made];
      return outline ? { outline } : { error: { ...failure, code: 'ASTRA_PLAN_CONFLICT' } };
    },
    openChange: async (args) => {
      calls.push(`openChange ${args.changeId}`);
      return behaviour.opensChange?.(args) ?? { error: { ...failure, code: 'ASTRA_PLAN_CONFLICT' } };
    },
    askPlanner: async ({ taskId, attempt }) => {
      calls.push(`askPlanner ${taskId} ${attempt}`);
      const answer = behaviour.planner?.[attempt - 1] ?? { kind: 'none' };
      return typeof answer === 'function' ? answer() : answer;
    },
    forkGoal: async ({ fork }) => {
      calls.push(`forkGoal ${fork.from.seq}`);
      return behaviour.retried ?? { error: failure };
    },
    retryGoal: async ({ retry }) => {
      calls.push(`retryGoal ${retry.run}`);
      return behaviour.retried ?? { error: failure };
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
      if (ending.kind === 'discarded') return { status: 'failed', error: failure };
      return ending.kind === 'cancelled' ? { status: 'cancelled' } : completed;
    },
    parkLost: async ({ task, error, attempted }) => {
      calls.push(`parkLost ${task.taskId} ${error.code}`);
      return { status: 'parked', reason: 'failed', attempted: attempted + 1, by: 'outside' };
    },
    planCompensation: async ({ goal }) => {
      calls.push('planCompensation');
      const ids = behaviour.compensations?.[plannedCompensations] ?? [];
      plannedCompensations += 1;
      const failed = calls.filter((call) => call.startsWith('failCompensation'));
      return {
        calls: ids.map((taskId) => ({ goal, taskId, workerClass: 'tools', timeoutSeconds: 10, maxAttempts: 3 })),
        error: failed.length > 0 ? { ...failure, code: 'ASTRA_COMPENSATION_FAILED' } : null,
      };
    },
    failCompensation: async ({ task, error }) => {
      calls.push(`failCompensation ${task.taskId} ${error.code}`);
    },
    compensateTask: async ({ taskId }) => {
      calls.push(`compensateTask ${taskId}`);
      await behaviour.compensate?.(taskId);
    },
    parkTask: async ({ task: { taskId }, attempted }) => {
      calls.push(`parkTask ${taskId}`);
      return { status: 'parked', attempted };
    },
    completeGoal: async () => {
      calls.push('completeGoal');
      return { error: null };
    },
    askForBudget: async ({ goal }) => {
      calls.push('askForBudget');
      return behaviour.asked?.(goal) ?? null;
    },
    raiseBudget: async ({ editedInput }) => {
      calls.push(`raiseBudget ${JSON.stringify(editedInput)}`);
      return { waiting: [] };
    },
    executeTasks: async ({ taskIds }) => {
      calls.push(`executeTasks ${taskIds.join(' ')}`);
      const { attempt } = Context.current().info;
      const endOf = async (id: string): Promise<ExecuteTaskAnswer> =>
        behaviour.retriedTogether?.includes(id)
          ? retryDue
          : ((await behaviour.execute?.(id, { attempt, last: false, cleared: false, unparked: false })) ?? completed);
      const ends = await Promise.all(taskIds.map(async (id) => [id, await endOf(id)] as const));
      return Object.fromEntries(ends);
    },
    executeTask: async ({ taskId, last = false, attempted = 0, cleared = false, unparked }) => {
      const attempt = attempted + Context.current().info.attempt;
      calls.push(`executeTask ${taskId}${cleared ? ' cleared' : ''}${unparked ? ` after ${attempted}` : ''}`);
      const about = { attempt, last, cleared, unparked: unparked !== undefined };
      return (await behaviour.execute?.(taskId, about)) ?? completed;
    },
    sweep: async () => undefined,
    erase: async () => ({ done: true, waitSeconds: 0 }),
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

/** A tool that runs until a pause stops it. */
export async function untilHeld(attempt: number): Promise<HeldAttempt> {
  await untilCancelled();
  return { status: 'held', attempted: attempt };
}

/** A tool whose worker is lost: it neither heartbeats nor ends before its worker does. */
export async function lost(): Promise<TaskOutcome> {
  await Context.current().cancelled.catch(() => undefined);
  return { status: 'cancelled' };
}
