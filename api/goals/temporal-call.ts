import {
  isGrpcServiceError,
  ServiceError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
} from '@temporalio/client';
import { AstraError } from '../../domain/errors.ts';

/** gRPC: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE: the same call may succeed later. */
const transientCodes = new Set([1, 4, 8, 10, 14]);
const notFoundCodes = new Set([5]);
const invalidCodes = new Set([3]);

/**
 * A call to Temporal that answers or gives up in time.
 * @throws ASTRA_UNAVAILABLE when Temporal cannot be reached; what else it says is thrown as it is.
 */
export async function callTemporal<T>(
  client: Client,
  call: () => Promise<T>,
  options: { readonly timeoutMs?: number; readonly unavailable?: string } = {},
): Promise<T> {
  const { timeoutMs = 3_000, unavailable = 'The workflow engine does not answer. Try again in a moment.' } = options;
  try {
    return await client.withDeadline(Date.now() + timeoutMs, call);
  } catch (error) {
    if (!isTransient(error)) throw error;
    throw new AstraError('ASTRA_UNAVAILABLE', unavailable, { retryAfterSeconds: 2, cause: error });
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) && transientCodes.has(cause.code);
}

export const isNotFound = (error: unknown): boolean => isGrpcServiceError(error) && notFoundCodes.has(error.code);
export const isInvalid = (error: unknown): boolean => isGrpcServiceError(error) && invalidCodes.has(error.code);
