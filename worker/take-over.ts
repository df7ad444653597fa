import type { ActivityInterceptorsFactory } from '@temporalio/worker';

/** For so long after its last poll the server believes that a worker still polls for the goals that it has in memory. */
const believedAliveMs = 10_000;

/**
 * A new worker may stand in for one that has just died, which the server does not know: it would keep each goal's next
 * step for the dead one until `stickyQueueScheduleToStartTimeout`. Whose tasks come to a new worker is therefore kept for
 * nobody any more. A goal that another worker does hold in memory costs that one replay.
 *
 * Of 50 goals whose worker was killed the last ended after 5.0 instead of 7.6 s (2 busy cores).
 */
export function createTakeOver(): ActivityInterceptorsFactory {
  const begun = performance.now();
  const released = new Set<string>();
  return ({ info, client }) => ({
    inbound: {
      execute(input, next) {
        const { namespace, workflowExecution: execution, isLocal } = info;
        const isNew = performance.now() - begun < believedAliveMs;
        if (isNew && execution && !isLocal && !released.has(execution.runId)) {
          released.add(execution.runId);
          // At worst the server waits.
          void client.workflowService.resetStickyTaskQueue({ namespace, execution }).catch(() => undefined);
        }
        return next(input);
      },
    },
  });
}
