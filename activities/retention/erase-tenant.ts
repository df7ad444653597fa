import { removeTenantKeys } from '../../stores/cache/removed-keys.ts';
import { removeTenantRows } from '../../stores/postgres/tenant-rows.ts';
import type { Erasure } from './deps.ts';

/** Goals are cancelled first, so that their tools stop in order, and terminated after so long. */
const graceSeconds = 10;
/** Until what was under way when the rows went has ended, and all workers have been told. */
const settleSeconds = 5;

/**
 * Everything of a tenant. Over and over until nothing is found: a step that was under way meanwhile may have written
 * something after its goal was gone.
 */
export async function eraseTenant(erasure: Erasure): Promise<number | null> {
  const { pool, redis, answers, objects, executions, removals, deletion, onProgress, count } = erasure;
  const { tenant } = deletion.request;
  if (Date.now() < deletion.requestedAt.getTime() + graceSeconds * 1_000 && (await executions.countRunning(tenant))) {
    await executions.cancelTenant(tenant);
    return 1;
  }
  const removed = {
    executions: await executions.removeTenant(tenant),
    ...(await removeTenantRows(pool, tenant, { onProgress })),
    objects: await objects.removeTenant(tenant, { onProgress }),
  };
  const keys = (await removeTenantKeys(redis, tenant)) + (await answers.removeTenant(tenant));
  await count(removed);
  if (Object.values(removed).some((found) => found > 0) || keys > 0) {
    await removals.announceTenant({ id: deletion.id, tenant });
    return settleSeconds;
  }
  await removals.finishTenant(tenant);
  return null;
}
