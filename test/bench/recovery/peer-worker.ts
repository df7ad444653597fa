import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeat } from '@temporalio/activity';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Execution } from '../../support/chaos/counting-tools.ts';
import type { PeerActivities } from './peer-workflow.ts';

/** The worker of the workflow written by hand, a process of its own. Says `up` when it takes work. */
const [address = '', taskQueue = '', codePath = '', stickyQueueScheduleToStartTimeout = ''] = process.argv.slice(2);

const count: PeerActivities['count'] = async ({ file, effectId, milliseconds }) => {
  const beat = setInterval(heartbeat, 1_000);
  const execution: Execution = { effectId, at: new Date().toISOString() };
  await appendFile(file, `${JSON.stringify(execution)}\n`);
  await sleep(milliseconds);
  clearInterval(beat);
};

Runtime.install({ logger: new DefaultLogger('ERROR') });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue,
  workflowBundle: { codePath },
  activities: { count },
  maxEagerActivityReservationsPerWorkflowTask: 50,
  maxHeartbeatThrottleInterval: '1 second',
  // It checks the text itself.
  stickyQueueScheduleToStartTimeout: stickyQueueScheduleToStartTimeout as '2 seconds',
});
process.send?.('up');
await worker.run();
