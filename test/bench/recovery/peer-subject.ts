import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Stack } from '../../../infra/local/stack.ts';
import type { Subject } from './measure-recovery.ts';
import { goals, taskMilliseconds } from './work.ts';

/** How long until the loss of a worker is noticed, in each of the ways there are. */
export interface TimeOuts {
  readonly activityOptions: ActivityOptions;
  readonly sticky: string;
  readonly workflowTaskTimeout: '3 seconds' | '10 seconds';
}

export interface Peer extends Subject {
  close(): Promise<void>;
}

/** Made ahead, as Astra's is. */
export async function bundlePeer(directory: string): Promise<string> {
  const workflowsPath = join(import.meta.dirname, 'peer-workflow.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
  const file = join(directory, 'peer-workflows.js');
  await writeFile(file, code);
  return file;
}

/** The workflow written by hand and its worker, on the stack's server. */
export async function startPeer(
  stack: Stack,
  bundleFile: string,
  { activityOptions, sticky, workflowTaskTimeout }: TimeOuts,
): Promise<Peer> {
  const { temporalAddress } = stack.connection;
  const taskQueue = `by-hand-${randomUUID()}`;
  const client = new Client({ connection: await Connection.connect({ address: temporalAddress }) });
  let worker = await startWorker();

  async function startWorker(): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'peer-worker.ts'), [temporalAddress, taskQueue, bundleFile, sticky]);
    await stack.guard(child);
    await once(child, 'message');
    return child;
  }

  return {
    async start(file) {
      const started = Array.from({ length: goals }, async (_, goal) => {
        const id = `by-hand-${randomUUID()}`;
        const args = [{ id, file, milliseconds: taskMilliseconds(goal), activityOptions }];
        return client.workflow.start('diamondByHand', { taskQueue, workflowId: id, workflowTaskTimeout, args });
      });
      const results = (await Promise.all(started)).map((handle) => handle.result());
      return { finished: Promise.all(results).then(() => undefined) };
    },
    async replaceWorker() {
      worker.kill('SIGKILL');
      worker = await startWorker();
    },
    // The history is its record, and what is in there does not run again.
    afterRecord: () => Promise.resolve(0),
    async close() {
      worker.kill('SIGKILL');
      await client.connection.close();
    },
  };
}
