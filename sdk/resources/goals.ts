import { followEvents, type EventOptions } from '../follow-events.ts';
import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Query, Transport } from '../transport.ts';
import type { ArtifactRecord, CallOptions, GoalEvent, GoalResult, GoalStatus, GoalSubmission } from '../types.ts';
import type { GoalView, GraphView, JsonObject, TaskProgress, TaskView } from '../types.ts';
import { waitForResult, type ResultOptions } from '../wait-for-result.ts';
import { watchGoal, type GoalSnapshot } from '../watch-goal.ts';

/** Goals that match all of it. */
export interface GoalFilters extends PageQuery {
  /** One of these states. */
  readonly status?: GoalStatus | readonly GoalStatus[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly template?: string | undefined;
  readonly parentGoalId?: string | undefined;
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

const goalPath = (id: string) => `v1/goals/${encodeURIComponent(id)}`;

export interface Goals {
  /**
   * Submits a goal; durable when it resolves.
   * @throws ASTRA_BODY_INVALID, ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID with `faults`; ASTRA_MODEL_NOT_CONFIGURED;
   * ASTRA_IDEMPOTENCY_CONFLICT when the key was used with another body.
   */
  submit(submission: GoalSubmission, options?: SubmitOptions): Promise<GoalView>;
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
  /** Asks for the cancellation; the goal is `cancelled` when its tasks have ended. @throws ASTRA_GOAL_FINISHED */
  cancel(id: string, options?: CallOptions & { readonly reason?: string | undefined }): Promise<GoalView>;
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

  return {
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
    async cancel(id, { reason, signal } = {}) {
      const body = reason === undefined ? {} : { reason };
      return (
        await transport.json<GoalView>(`${goalPath(id)}/cancel`, { method: 'POST', body, idempotent: true, signal })
      ).body;
    },
    async pause(id, { signal, ...asked } = {}) {
      const call = { method: 'POST', body: asked, idempotent: true, signal } as const;
      return (await transport.json<GoalView>(`${goalPath(id)}/pause`, call)).body;
    },
    async resume(id, { signal } = {}) {
      const call = { method: 'POST', body: {}, idempotent: true, signal } as const;
      return (await transport.json<GoalView>(`${goalPath(id)}/resume`, call)).body;
    },
    async sendEvent(id, { name, data = {} }, { signal } = {}) {
      await transport.json(`${goalPath(id)}/events`, { method: 'POST', body: { name, data }, signal });
    },
    artifacts: (id, options) => readPages(transport, `${goalPath(id)}/artifacts`, {}, options),
  };
}
