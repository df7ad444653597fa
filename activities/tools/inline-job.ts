import { AstraError, type ErrorCode, type Fault } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { DeferralReason } from './deferral.ts';
import type { ToolContext } from './define-tool.ts';

/** Whose call it is, as far as a tool without effects may care. */
export type CallIdentity = Pick<ToolContext, 'tenant' | 'goalId' | 'taskId' | 'attempt' | 'effectId'>;

/** One message to a thread: many calls of one tool. */
export interface InlineJob {
  readonly tool: string;
  readonly inputs: readonly JsonObject[];
  readonly identity: CallIdentity;
  /** Running time of one call. */
  readonly sliceMs: number;
  /** Running time after which no further call is begun. */
  readonly budgetMs: number;
  /** An Int32Array's memory: 1 + the index of the call that runs, 0 when none does. All that is known of a thread that hangs. */
  readonly cursor: SharedArrayBuffer;
}

/** An AstraError is no plain object: its fields cross, and it is made again on the other side. */
export interface ThrownError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | undefined;
}
export type ThreadResult =
  { readonly output: Json } | { readonly deferred: DeferralReason } | { readonly thrown: ThrownError };

export const toThrown = ({ code, message, faults, retryAfterSeconds }: AstraError): ThrownError => ({
  code,
  message,
  faults,
  retryAfterSeconds,
});
export const fromThrown = ({ code, message, faults, retryAfterSeconds }: ThrownError): AstraError =>
  new AstraError(code, message, { faults, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
