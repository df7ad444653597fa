import { isGrpcServiceError, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';

/** gRPC's NOT_FOUND. */
const notFoundCodes: ReadonlySet<number> = new Set([5]);

/** What Temporal answers. Null: what it was asked about is not there, or runs no more. */
export async function orGone<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

function isNotFound(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || error instanceof ScheduleNotFoundError) return true;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return isGrpcServiceError(cause) && notFoundCodes.has(cause.code);
}
