import { followEvents, type EventOptions } from '../follow-events.ts';
import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import { submitBatch, type BatchGoal, type BatchResult } from '../submit-batch.ts';
import type { Query, Transport } from '../transport.ts';
import type {
  ArtifactRecord,
  CallOptions,
  Deletion,
  GoalEvent,
  GoalResult,
  GoalStatus,
  GoalSubmission,
} from '../types.ts';
import type { GoalView, GraphView, JsonObject, TaskProgress, TaskView } from '../types.ts';
import { goalPath } from './goal-path.ts';
import { createGoalPlans, type GoalPlans } from './goal-plan.ts';
import { waitForResult, type ResultOptions } from '../wait-for-result.ts';
import { watchGoal, type GoalSnapshot } from '../watch-goal.ts';

/** Goals that match all of it. */
export interface GoalFilters extends PageQuery {
  /** One of these states. */
  readonly status?: GoalStatus | readonly GoalStatus[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly template?: string | undefined;
  readonly parentGoalId?: string | undefined;
  readonly cascadeId?: string | undefined;
  /** RFC 3339, as is `createdBefore`. */
  readonly createdAfter?: string | undefined;
  readonly createdBefore?: string | undefined;
}

const toQuery = ({ status, labels = {}, ...others }: GoalFilters): Query => ({
  ...others,
  status: status === undefined ? undefined : [status].flat().join(','),
  label: Object.entries(labels).map(([name, value]) => `${name}:${value}`),
});

/** How a goal is paused. */
export interface PauseOptions extends CallOptions {
  /** What becomes of running tool calls: they finish (the default), or are stopped and begin again at the resume. */
  readonly running?: 'finish' | 'hold' | undefined;
  /** Adds the time that the pause takes to waits and approvals. */
  readonly shiftDeadlines?: boolean | undefined;
  readonly reason?: string | undefined;
}

export interface SubmitOptions extends CallOptions {
  /** The same key and body give the same goal, however often. Made up when left out, so that retries are safe. */
  readonly idempotencyKey?: string | undefined;
}

interface ReadOptions extends CallOptions {
  /** Wait (5 s at most) for a view that has seen this event, to read one's own writes. */
  readonly minSeq?: number | undefined;
}

/** A cascade whose goals have been told to stop. */
export interface CancelledCascade {
  readonly cascadeId: string;
  /** How many of its goals had begun. */
  readonly cancelling: number;
}

export interface CancelOptions extends CallOptions {
  /** For the record. */
  readonly reason?: string | undefined;
  /** Have what has completed taken back first, where its tools can; the goal is `cancelling` until that is done. */
  readonly compensate?: boolean | undefined;
}

export interface Goals extends GoalPlans {
  /**
   * Submits a goal; durable when it resolves.
   * @throws ASTRA_BODY_INVALID, ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID with `faults`; ASTRA_MODEL_NOT_CONFIGURED;
   * ASTRA_IDEMPOTENCY_CONFLICT when the key was used with another body.
   */
  submit(submission: GoalSubmission, options?: SubmitOptions): Promise<GoalView>;
  /**
   * Submits any number of goals, in calls of up to 1,000, and yields what came of each, in their order: the goal, or the
   * error with which it alone was refused. Interrupted calls are taken up again, and goals that are refused because too
   * many wait are sent again, as long as some of them get in; nothing is started twice. A goal's own `idempotencyKey`
   * makes that hold for repeats of yours too.
   * @throws ASTRA_CONNECTION when the API stays away
   */
  submitBatch(
    goals: Iterable<BatchGoal> | AsyncIterable<BatchGoal>,
    options?: SubmitOptions,
  ): AsyncGenerator<BatchResult, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: ReadOptions): Promise<GoalView>;
  /** Null when the goal is still at `ifSeqNot`: a poll that costs next to nothing. */
  get(id: string, options: ReadOptions & { readonly ifSeqNot: number }): Promise<GoalView | null>;
  /** One page, newest first. */
  list(filters?: GoalFilters, options?: CallOptions): Promise<Page<GoalView>>;
  /** Every goal that matches, page after page. */
  all(filters?: GoalFilters, options?: CallOptions): AsyncGenerator<GoalView, void, undefined>;
  /** The tasks and their dependencies. Empty until there is a plan. */
  graph(id: string, options?: CallOptions): Promise<GraphView>;
  /** A task, also an item of a map (`each.3`), with its output. */
  task(id: string, taskId: string, options?: CallOptions): Promise<TaskView>;
  /** The events recorded so far. */
  history(id: string, options?: CallOptions): AsyncGenerator<GoalEvent, void, undefined>;
  /**
   * The events as they happen, from `fromSeq` to the goal's end: each durable event exactly once and in order, over
   * any number of dropped connections. With `live`, output of running tasks too.
   * @throws ASTRA_CONNECTION when the API stays away for `reconnectForMs`
   */
  events(
    id: string,
    options: EventOptions & { readonly live: true },
  ): AsyncGenerator<GoalEvent | TaskProgress, void, undefined>;
  events(id: string, options?: EventOptions & { readonly live?: false }): AsyncGenerator<GoalEvent, void, undefined>;
  /** The goal and its graph now, again after every change (at most five times a second), and the live lane; ends with the goal. */
  watch(id: string, options?: CallOptions): AsyncGenerator<GoalSnapshot | TaskProgress, void, undefined>;
  /**
   * Waits until the goal has ended, however it ended: a failed goal is an answer (`status: 'failed'`), not an exception.
   * @throws ASTRA_TIMEOUT when it has not ended after `timeoutMs` (default: waits for ever); the goal goes on.
   */
  result(id: string, options?: ResultOptions): Promise<GoalResult>;
  /**
   * Asks for the cancellation: what runs is stopped, and the goal is `cancelled` when its tasks have ended. Their `cancelReceipt`
   * says what came of each.
   * @throws ASTRA_GOAL_FINISHED
   */
  cancel(id: string, options?: CancelOptions): Promise<GoalView>;
  /** Cancels all goals of a cascade that were submitted before and have not ended. */
  cancelCascade(
    cascadeId: string,
    options?: CallOptions & { readonly reason?: string | undefined },
  ): Promise<CancelledCascade>;
  /** Pauses the goal and its sub-goals: nothing new starts until the resume. @throws ASTRA_GOAL_FINISHED */
  pause(id: string, options?: PauseOptions): Promise<GoalView>;
  /**
   * Resumes the goal, and the sub-goals that were paused with it. One that is paused with the goal above it stays so until
   * that is resumed.
   * @throws ASTRA_GOAL_FINISHED
   */
  resume(id: string, options?: CallOptions): Promise<GoalView>;
  /** Delivers an outside event to a `wait` task of the goal. Not repeated on doubt: the event may be counted. */
  sendEvent(
    id: string,
    event: { readonly name: string; readonly data?: JsonObject },
    options?: CallOptions,
  ): Promise<void>;
  artifacts(id: string, options?: CallOptions): AsyncGenerator<ArtifactRecord, void, undefined>;
  /**
   * Deletes a goal that has ended, with its sub-goals and its archive. Waits some seconds for it; where the answer is still
   * `running`, `deletions.result` waits for the end. Needs the scope `admin`.
   * @throws ASTRA_GOAL_RUNNING; ASTRA_NOT_FOUND
   */
  delete(id: string, options?: CallOptions): Promise<Deletion>;
}

export function createGoals(transport: Transport): Goals {
  async function get(
    id: string,
    { minSeq, ifSeqNot, signal }: ReadOptions & { readonly ifSeqNot?: number } = {},
  ): Promise<GoalView | null> {
    const headers = ifSeqNot === undefined ? {} : { 'if-none-match': `"${ifSeqNot}"` };
    const answer = await transport.json<GoalView>(goalPath(id), { query: { minSeq }, headers, signal });
    return answer.status === 304 ? null : answer.body;
  }

  async function order<T>(path: string, body: object, signal: AbortSignal | undefined): Promise<T> {
    return (await transport.json<T>(path, { method: 'POST', body, idempotent: true, signal })).body;
  }

  return {
    ...createGoalPlans(transport),
    async submit(submission, { idempotencyKey = crypto.randomUUID(), signal } = {}) {
      const headers = { 'idempotency-key': idempotencyKey };
      return (
        await transport.json<GoalView>('v1/goals', {
          method: 'POST',
          body: submission,
          headers,
          idempotent: true,
          signal,
        })
      ).body;
    },
    submitBatch: (goals, options) => submitBatch(transport, goals, options),
    // Only with `ifSeqNot` is there a 304, and so a null: what the overloads say.
    get: get as Goals['get'],
    list: (filters = {}, options) => readPage(transport, 'v1/goals', toQuery(filters), options),
    all: (filters = {}, options) => readPages(transport, 'v1/goals', toQuery(filters), options),
    async graph(id, { signal } = {}) {
      return (await transport.json<GraphView>(`${goalPath(id)}/graph`, { signal })).body;
    },
    async task(id, taskId, { signal } = {}) {
      return (await transport.json<TaskView>(`${goalPath(id)}/tasks/${encodeURIComponent(taskId)}`, { signal })).body;
    },
    history: (id, options) => readPages(transport, `${goalPath(id)}/events`, { limit: 500 }, options),
    // Progress is left out unless `live` is set: what the overloads say.
    events: ((id: string, options: EventOptions = {}) => followEvents(transport, id, options)) as Goals['events'],
    watch: (id, options = {}) => watchGoal(transport, id, options),
    result: (id, options) => waitForResult(transport, id, options),
    cancel: (id, { signal, ...asked } = {}) => order(`${goalPath(id)}/cancel`, asked, signal),
    cancelCascade: (cascadeId, { signal, ...asked } = {}) => order('v1/goals:cancel', { cascadeId, ...asked }, signal),
    pause: (id, { signal, ...asked } = {}) => order(`${goalPath(id)}/pause`, asked, signal),
    resume: (id, { signal } = {}) => order(`${goalPath(id)}/resume`, {}, signal),
    async sendEvent(id, { name, data = {} }, { signal } = {}) {
      await transport.json(`${goalPath(id)}/events`, { method: 'POST', body: { name, data }, signal });
    },
    artifacts: (id, options) => readPages(transport, `${goalPath(id)}/artifacts`, {}, options),
    async delete(id, { signal } = {}) {
      return (await transport.json<Deletion>(goalPath(id), { method: 'DELETE', signal })).body;
    },
  };
}
