import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import { middle } from './work.ts';

export interface PeerActivities {
  count(args: { readonly file: string; readonly effectId: string; readonly milliseconds: number }): Promise<void>;
}

interface Diamond {
  readonly id: string;
  readonly file: string;
  readonly milliseconds: number;
  readonly activityOptions: ActivityOptions;
}

/** What a careful engineer writes without Astra: one activity a task, and no record but Temporal's. */
export async function diamondByHand({ id, file, milliseconds, activityOptions }: Diamond): Promise<void> {
  const { count } = proxyActivities<PeerActivities>(activityOptions);
  const run = (taskId: string): Promise<void> => count({ file, effectId: `${id}/${taskId}`, milliseconds });
  await run('first');
  await Promise.all(middle.map(run));
  await run('last');
}
