import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AstraError, isErrorCode } from '../../domain/errors.ts';

/** What a goal's workflow has refused an update with; undefined when the error says something else. */
export function toRefusal(error: unknown): AstraError | undefined {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || !cause.type || !isErrorCode(cause.type)) return undefined;
  return new AstraError(cause.type, cause.message, { cause: error });
}
