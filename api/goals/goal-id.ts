import { hash, randomBytes } from 'node:crypto';
import { goalIdFrom } from '../../domain/ids.ts';
import type { GoalId } from '../../domain/schemas/common.ts';

/** The same tenant and key always give the same id, so that Temporal refuses the second start. */
export function createGoalId(tenant: string, idempotencyKey: string | undefined): GoalId {
  if (idempotencyKey === undefined) return goalIdFrom({ unixMilliseconds: Date.now() }, randomBytes(16));
  // A tenant's name has no NUL, so no two pairs are written alike. The time of the first use is not known: zero.
  return goalIdFrom({ unixMilliseconds: 0 }, hash('sha256', `${tenant}\0${idempotencyKey}`, 'buffer'));
}
