import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import {
  bundleWorkflowCode,
  NativeConnection,
  Runtime,
  Worker,
  DefaultLogger,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { Activities } from '../../../activities/contract.ts';
import { goalIdFrom } from '../../../domain/ids.ts';
import {
  goalPriority,
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  taskQueues,
  type GoalWorkflowInput,
} from '../../../workflows/contract.ts';

const quiet = new DefaultLogger('ERROR');
let bundle: Promise<WorkflowBundle> | undefined;

/** The workflows as a worker gets them, bundled once a process. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../../workflows/index.ts', import.meta.url)),
    logger: quiet,
  });
  return bundle;
}

export interface Bench {
  readonly client: Client;
  /** Runs `use` while a worker with these activities serves both queues. @param options.slots activities at once */
  withWorker<T>(activities: Activities, use: () => Promise<T>, options?: { readonly slots: number }): Promise<T>;
  start(input?: Partial<GoalWorkflowInput>): Promise<WorkflowHandle>;
  close(): Promise<void>;
}

/** A place to run workflows against a real Temporal server. */
export async function createBench(address: string): Promise<Bench> {
  Runtime.install({ logger: quiet });
  const connection = await NativeConnection.connect({ address });
  const clientConnection = await Connection.connect({ address });
  const client = new Client({ connection: clientConnection });
  return {
    client,
    async withWorker(activities, use, { slots } = { slots: 100 }) {
      const { executeTask } = activities;
      const main = await Worker.create({
        connection,
        taskQueue: taskQueues.main,
        activities,
        workflowBundle: await workflowBundle(),
        maxHeartbeatThrottleInterval: '200 milliseconds',
        maxConcurrentActivityTaskExecutions: slots,
        maxEagerActivityReservationsPerWorkflowTask: slots,
      });
      const sandbox = await Worker.create({ connection, taskQueue: taskQueues.sandbox, activities: { executeTask } });
      const running = [main.run(), sandbox.run()];
      try {
        return await use();
      } finally {
        main.shutdown();
        sandbox.shutdown();
        await Promise.all(running);
      }
    },
    start(input = {}) {
      const goalId = goalIdFrom({ unixMilliseconds: Date.now() }, randomBytes(16));
      const tenant = input.tenant ?? 'test';
      const submission = input.submission ?? {
        objective: 'test',
        plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] },
      };
      return client.workflow.start(goalWorkflowType, {
        workflowId: goalWorkflowId(goalId),
        taskQueue: taskQueues.main,
        typedSearchAttributes: goalSearchAttributes(tenant, submission),
        priority: goalPriority(tenant, submission),
        args: [
          {
            tenant,
            goalId,
            submission,
            submittedAt: new Date().toISOString(),
            bodyHash: null,
            parentGoalId: null,
            depth: 0,
            ...input,
          } satisfies GoalWorkflowInput,
        ],
      });
    },
    async close() {
      await clientConnection.close();
      await connection.close();
    },
  };
}
