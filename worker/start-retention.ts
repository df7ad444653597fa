import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { retentionWorkflow, taskQueues, workflowTaskTimeout } from '../workflows/contract.ts';

const retryMs = 5_000;

/** Sees to it that the sweep runs, of which there is one, however many workers start it. Tries until it does. */
export async function startRetention(
  connection: NativeConnection,
  options: { readonly config: Config; readonly logger: Pick<Logger, 'warn'>; readonly signal: AbortSignal },
): Promise<void> {
  const { config, logger, signal } = options;
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  while (!signal.aborted) {
    try {
      await client.workflow.start(retentionWorkflow.type, {
        workflowId: retentionWorkflow.id,
        taskQueue: taskQueues.main,
        workflowTaskTimeout,
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      return;
    } catch (error) {
      logger.warn({ err: error }, 'the retention sweep could not be started; trying again');
      await sleep(retryMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }
}
