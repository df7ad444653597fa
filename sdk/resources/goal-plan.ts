import type { Transport } from '../transport.ts';
import type { CallOptions, ChangeApproval, GoalFork, GoalRetry, GoalView, PlanChange } from '../types.ts';
import type { PlanChangePreview, PlanProposal, PlanRevision, RerunPreview } from '../types.ts';
import { goalPath } from './goal-path.ts';

export interface ChangeOptions extends CallOptions {
  /** A repeated request with the same key does nothing again. Made up when left out, so that retries are safe. */
  readonly idempotencyKey?: string | undefined;
}

/** Plans that change, and goals that run again. */
export interface GoalPlans {
  /** A revision of the plan, the latest unless given. @throws ASTRA_NOT_FOUND */
  plan(id: string, options?: CallOptions & { readonly revision?: number | undefined }): Promise<PlanRevision>;
  /**
   * Changes the plan of a running goal. Finished tasks stay; a running one that is removed or replaced is cancelled.
   * @throws ASTRA_PLAN_CONFLICT when `baseRevision` is old or a finished task would change; ASTRA_PLAN_INVALID;
   * ASTRA_GOAL_FINISHED
   */
  amendPlan(id: string, change: PlanChange, options?: ChangeOptions): Promise<GoalView>;
  /**
   * Asks people about a change, which is made once they approve, if it still fits then. The goal goes on by its plan meanwhile.
   * @throws what `amendPlan` throws
   */
  proposeAmendment(
    id: string,
    change: PlanChange,
    options?: ChangeOptions & { readonly approval?: ChangeApproval | undefined },
  ): Promise<PlanProposal>;
  /** What `amendPlan` would do. Throws what it would throw. */
  previewAmendment(id: string, change: PlanChange, options?: CallOptions): Promise<PlanChangePreview>;
  /**
   * Runs tasks of an ended goal again, with what depends on them and what has not ended well; the others keep their outputs.
   * @throws ASTRA_GOAL_RUNNING, ASTRA_PLAN_INVALID
   */
  retry(id: string, retry: GoalRetry, options?: ChangeOptions): Promise<GoalView>;
  /** What `retry` would do. Throws what it would throw. */
  previewRetry(id: string, retry: GoalRetry, options?: CallOptions): Promise<RerunPreview>;
  /**
   * Begins another goal with what this one has finished, whether it runs or has ended. What failed runs again, unless
   * `tasks` says otherwise; so does what another plan changes.
   * @throws ASTRA_PLAN_INVALID, ASTRA_NOT_FOUND
   */
  fork(id: string, fork?: GoalFork, options?: ChangeOptions): Promise<GoalView>;
  /** What `fork` would run. Throws what it would throw. */
  previewFork(id: string, fork?: GoalFork, options?: CallOptions): Promise<RerunPreview>;
}

export function createGoalPlans(transport: Transport): GoalPlans {
  async function change<T>(
    method: 'POST' | 'PATCH',
    path: string,
    body: unknown,
    { idempotencyKey = crypto.randomUUID(), signal }: ChangeOptions,
  ): Promise<T> {
    const headers = { 'idempotency-key': idempotencyKey };
    return (await transport.json<T>(path, { method, body, headers, idempotent: true, signal })).body;
  }
  async function preview<T>(
    method: 'POST' | 'PATCH',
    path: string,
    body: unknown,
    { signal }: CallOptions,
  ): Promise<T> {
    const query = { dryRun: 'true' };
    return (await transport.json<T>(path, { method, body, query, idempotent: true, signal })).body;
  }

  return {
    async plan(id, { revision, signal } = {}) {
      return (await transport.json<PlanRevision>(`${goalPath(id)}/plan`, { query: { revision }, signal })).body;
    },
    amendPlan: (id, body, options = {}) => change('PATCH', `${goalPath(id)}/plan`, body, options),
    proposeAmendment: (id, body, { approval = {}, ...options } = {}) =>
      change('PATCH', `${goalPath(id)}/plan`, { ...body, approval }, options),
    previewAmendment: (id, body, options = {}) => preview('PATCH', `${goalPath(id)}/plan`, body, options),
    retry: (id, body, options = {}) => change('POST', `${goalPath(id)}/retry`, body, options),
    fork: (id, body = {}, options = {}) => change('POST', `${goalPath(id)}/fork`, body, options),
    previewFork: (id, body = {}, options = {}) => preview('POST', `${goalPath(id)}/fork`, body, options),
    previewRetry: (id, body, options = {}) => preview('POST', `${goalPath(id)}/retry`, body, options),
  };
}
