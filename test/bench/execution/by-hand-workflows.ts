import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import { mapItems, middle, type Work } from './work.ts';

export interface ByHandActivities {
  doNothing(taskId: string): Promise<object>;
}

const activities = proxyActivities<ByHandActivities>({ startToCloseTimeout: '1 minute' });
const localActivities = proxyLocalActivities<ByHandActivities>({ startToCloseTimeout: '1 minute' });

/** What a careful engineer writes without Astra: one activity a task, and no record but Temporal's. */
export async function byHandWorkflow(work: Work, kind: 'activities' | 'local'): Promise<void> {
  const { doNothing } = kind === 'local' ? localActivities : activities;
  if (work === 'map') await Promise.all(mapItems.map((item) => doNothing(`each.${item}`)));
  if (work !== 'diamond') return;
  await doNothing('first');
  await Promise.all(middle.map((id) => doNothing(id)));
  await doNothing('last');
}
