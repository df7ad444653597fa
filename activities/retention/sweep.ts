import { Context } from '@temporalio/activity';
import type { RetentionActivities } from '../contract.ts';
import type { RetentionDeps } from './deps.ts';

/**
 * Makes a deletion of each tenant's goals whose time has come, and sees to it that every deletion is worked at: one whose
 * API process died before it started the workflow, or whose workflow was terminated, is started here.
 */
export function createSweep({
  policies,
  deletions,
  executionsOf,
}: Pick<RetentionDeps, 'policies' | 'deletions' | 'executionsOf'>): RetentionActivities['sweep'] {
  return async () => {
    for (const tenant of await policies.tenantsWithDue()) await deletions.ensureRetention(tenant);
    const underWay = await deletions.underWay();
    if (underWay.length === 0) return;
    const executions = executionsOf(Context.current().client);
    for (const id of underWay) await executions.startErasure(id);
  };
}
