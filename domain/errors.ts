import type { ErrorInfo } from './schemas/common.ts';

interface ErrorEntry {
  /** HTTP status of the problem document. */
  readonly status: number;
  readonly title: string;
  /** May the same request or attempt succeed later, unchanged? */
  readonly retryable: boolean;
}

const entry = (status: number, title: string, retryable = false): ErrorEntry => ({ status, title, retryable });

/** The one registry of failures. Rendered as problem+json, as `ApplicationFailure.type` and in the SDK's error union. */
export const errorRegistry = {
  ASTRA_BODY_INVALID: entry(422, 'The request body is not valid'),
  ASTRA_BODY_TOO_LARGE: entry(413, 'The request body is too large'),
  ASTRA_MEDIA_TYPE_UNSUPPORTED: entry(415, 'The request body has another media type than JSON'),
  ASTRA_PARAMETER_INVALID: entry(400, 'A path or query parameter is not valid'),
  ASTRA_PLAN_INVALID: entry(422, 'The plan is not valid'),
  ASTRA_TEMPLATE_INVALID: entry(422, 'The template or its parameters are not valid'),
  ASTRA_MODEL_NOT_CONFIGURED: entry(422, 'No model is configured'),
  ASTRA_UNAUTHENTICATED: entry(401, 'The request carries no valid token'),
  ASTRA_FORBIDDEN: entry(403, 'The token does not allow this'),
  ASTRA_NOT_FOUND: entry(404, 'No such resource'),
  ASTRA_METHOD_NOT_ALLOWED: entry(405, 'The resource does not have this method'),
  ASTRA_IDEMPOTENCY_CONFLICT: entry(409, 'The idempotency key was used with another body'),
  ASTRA_APPROVAL_DECIDED: entry(409, 'The approval is already decided'),
  ASTRA_APPROVAL_EDITED: entry(409, 'Another input was approved'),
  ASTRA_DELEGATION_INVALID: entry(422, 'The vote cannot be passed on so'),
  ASTRA_GOAL_FINISHED: entry(409, 'The goal has already ended'),
  ASTRA_GOAL_RUNNING: entry(409, 'The goal has not ended yet'),
  ASTRA_PLAN_CONFLICT: entry(409, 'The plan has changed, or what the change touches has finished'),
  ASTRA_SCHEDULE_EXISTS: entry(409, 'There is another schedule of this name'),
  ASTRA_WEBHOOK_LIMIT: entry(409, 'The tenant has as many webhooks as it may have'),
  ASTRA_WEBHOOK_DISABLED: entry(409, 'The webhook is disabled'),
  ASTRA_SIGNATURE_INVALID: entry(401, 'The message is not signed as it must be'),
  ASTRA_SECRETS_NOT_CONFIGURED: entry(422, 'No key for secrets is configured'),
  ASTRA_RATE_LIMITED: entry(429, 'Too many requests', true),
  ASTRA_OVERLOADED: entry(429, 'More goals are waiting than can begin soon', true),
  ASTRA_UNAVAILABLE: entry(503, 'A dependency is not available', true),
  ASTRA_INTERNAL: entry(500, 'Astra failed', true),

  ASTRA_TOOL_FAILED: entry(500, 'The tool failed', true),
  ASTRA_TOOL_TIMEOUT: entry(504, 'The tool did not finish in time', true),
  ASTRA_TOOL_INPUT_INVALID: entry(422, 'The tool input is not valid'),
  ASTRA_TOOL_OUTPUT_INVALID: entry(500, 'The tool returned something else than it declares'),
  ASTRA_EGRESS_DENIED: entry(403, 'The network address is not allowed'),
  ASTRA_SANDBOX_LIMIT: entry(500, 'The sandboxed command exceeded a limit'),
  ASTRA_EFFECT_IN_DOUBT: entry(500, 'The attempt was lost and the tool must not run twice'),
  ASTRA_EXPRESSION_FAILED: entry(422, 'An expression could not be evaluated'),
  ASTRA_MAP_FAILED: entry(500, 'Too few items of the map succeeded'),
  ASTRA_SUBGOAL_FAILED: entry(500, 'The sub-goal did not complete'),
  ASTRA_APPROVAL_REJECTED: entry(403, 'The approval was rejected'),
  ASTRA_APPROVAL_EXPIRED: entry(504, 'The approval was not decided in time'),
  ASTRA_POLICY_DENIED: entry(403, 'The approval policy denies the tool'),
  ASTRA_WAIT_TIMEOUT: entry(504, 'The awaited event did not arrive in time'),
  ASTRA_DEPENDENCY_FAILED: entry(500, 'A goal that this one waited for did not complete'),
  ASTRA_COMPENSATION_FAILED: entry(500, 'Not all of the cancelled goal was compensated'),
  ASTRA_LIMIT_REACHED: entry(429, 'A limit of the tenant is reached', true),
  ASTRA_REPLAN_FAILED: entry(500, 'The planner has no change that could be made'),
  ASTRA_TASK_FAILED: entry(500, 'A task of the goal failed'),
  ASTRA_BUDGET_EXHAUSTED: entry(402, 'The budget is used up'),
  ASTRA_MODEL_FAILED: entry(502, 'The model did not answer as asked', true),
  ASTRA_MODEL_REFUSED: entry(502, 'The model endpoint refused the request'),
  ASTRA_CANCELLED: entry(499, 'Cancelled'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorRegistry;

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorRegistry, code);

/** A fault in something the user wrote, at a JSON pointer (RFC 6901) into it. */
export interface Fault {
  readonly pointer: string;
  readonly message: string;
}

/** Every expected failure of Astra. The message tells what to do next and holds no secret. */
export class AstraError extends Error {
  override readonly name = 'AstraError';
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { faults?: readonly Fault[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get retryable(): boolean {
    return errorRegistry[this.code].retryable;
  }
}

/** How a task ends whose attempt was lost, when its tool must not run twice. */
export function effectInDoubt(tool: string): ErrorInfo {
  const message = `The worker was lost while "${tool}" ran. Find out whether it took effect, then submit what is left.`;
  return { code: 'ASTRA_EFFECT_IN_DOUBT', message, retryable: false };
}

const namedTasks = 5;

/** How a cancelled goal, or a part of it, ends of whose `total` effects not all could be taken back. */
export function compensationFailed(tasks: readonly string[], total: number): ErrorInfo {
  const named = tasks.slice(0, namedTasks).join(', ');
  const more = tasks.length > namedTasks ? ` and ${tasks.length - namedTasks} more` : '';
  const message = `${tasks.length} of ${total} effects could not be taken back: ${named}${more}. Their tasks say why; undo what is left by hand.`;
  return { code: 'ASTRA_COMPENSATION_FAILED', message, retryable: false };
}

/** The record's form of any thrown value. What is not an AstraError is ours, and its text is not for users. */
export function toErrorInfo(error: unknown): ErrorInfo {
  if (error instanceof AstraError) return { code: error.code, message: error.message, retryable: error.retryable };
  return {
    code: 'ASTRA_INTERNAL',
    message: 'Astra failed unexpectedly; the worker log has the details under this goal and task.',
    retryable: true,
  };
}
