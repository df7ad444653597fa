import type { GoalRef } from '../domain/goal-ref.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { ReplanTerms } from '../domain/replans.ts';
import type { ApprovalTerms } from '../domain/schemas/approval.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { PlanChange } from '../domain/schemas/plan-change.ts';
import type { SettledStatus } from '../domain/task-graph-nodes.ts';
import type { OpenedApproval, RetryRequest, TaskRef, WithSlots } from './contract.ts';

// What workflows ask of those who change plans: a part of contract.ts.

/** A request that changes a plan, as it is recorded. */
interface PlanRequest {
  /** The goal by the revision that is changed. */
  readonly goal: GoalRef;
  readonly by: string;
  /** The same for a repetition of the request. */
  readonly changeId: string;
}
export interface AmendPlanArgs extends PlanRequest {
  /** Left out: the one that is kept under the change's id. */
  readonly change?: PlanChange;
  /** People have approved it. */
  readonly approvalId?: string;
  /** It is made because this task has failed, and must remove or replace it. */
  readonly failedTask?: string;
}
export interface OpenChangeArgs {
  readonly goal: GoalRef;
  readonly changeId: string;
  readonly terms: ApprovalTerms;
}
export type OpenChangeResult = { readonly approval: OpenedApproval } | { readonly error: ErrorInfo };

/** A task has failed for good in a goal that replans. */
export interface AskPlannerArgs extends TaskRef {
  readonly changeId: string;
  readonly attempt: number;
  readonly limit: number;
  /** Why the change was not made that was proposed last. */
  readonly refusal: string | null;
}
export type AskPlannerResult =
  /** A change is kept under the id. */
  | { readonly kind: 'proposed' }
  /** There is nothing to be done. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly error: ErrorInfo };
export interface RetryGoalArgs extends PlanRequest {
  readonly retry: RetryRequest;
}
export type AmendPlanResult = { readonly outline: PlanOutline } | { readonly error: ErrorInfo };
interface RerunGoal {
  readonly outline: PlanOutline;
  readonly settled: { readonly [taskId: string]: SettledStatus };
  /** Of a goal that replans. */
  readonly replans?: ReplanTerms;
}
export type RetryGoalResult = WithSlots & (RerunGoal | { readonly error: ErrorInfo });
