import { activityInfo, ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AstraError, errorRegistry, toErrorInfo } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** Attempts after which a failure of Astra's own counts as a fault that trying again does not mend. */
const faultAttempts = 5;

/**
 * Turns what activities throw into Temporal failures with a stable type. A dependency that is away is waited for, for
 * ever; a fault of the code is not.
 */
export function createFailureInterceptor(logger: Logger): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (error instanceof ApplicationFailure || error instanceof CancelledFailure) throw error;
        const { activityType, attempt, workflowExecution } = activityInfo();
        const { code: type, message } = toErrorInfo(error);
        const known = error instanceof AstraError && error.code !== 'ASTRA_INTERNAL';
        const log = { err: error, activityType, attempt, workflowId: workflowExecution?.workflowId };
        if (!known) logger.error(log, 'an activity failed unexpectedly');
        else logger.warn({ ...log, err: undefined, code: type, reason: message }, 'an activity failed');
        const nonRetryable = known ? !errorRegistry[error.code].retryable : attempt >= faultAttempts;
        throw ApplicationFailure.create({ type, message, nonRetryable });
      }
    },
  };
}
