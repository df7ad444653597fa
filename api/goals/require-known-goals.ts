import { AstraError } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalList } from '../../stores/postgres/goal-list.ts';
import type { GoalEngine } from './goal-engine.ts';

interface Deps {
  readonly goalList: Pick<GoalList, 'findRecorded'>;
  readonly engine: Pick<GoalEngine, 'find'>;
}

/**
 * A goal can depend only on goals that were accepted before it, so goals never wait for one another in a circle: of two
 * that name each other, the one that is looked at first names a goal that is not there.
 * @throws ASTRA_BODY_INVALID with a fault for each that is not a goal of the tenant; ASTRA_UNAVAILABLE
 */
export async function requireKnownGoals(
  { goalList, engine }: Deps,
  tenant: string,
  goalIds: readonly GoalId[],
): Promise<void> {
  if (goalIds.length === 0) return;
  // Postgres away must not stop submissions: Temporal knows what is not recorded yet, and most of what is.
  const recorded = await goalList
    .findRecorded(goalIds.map((goalId) => ({ tenant, goalId })))
    .catch(() => new Set<GoalId>());
  const faults = await Promise.all(
    goalIds.map(async (goalId, index) => {
      const isKnown = recorded.has(goalId) || (await engine.find(tenant, goalId)) !== null;
      return isKnown ? [] : [{ pointer: `/dependsOnGoalIds/${index}`, message: 'is not a goal of this tenant' }];
    }),
  );
  if (faults.flat().length === 0) return;
  throw new AstraError('ASTRA_BODY_INVALID', 'A goal can wait only for goals that were submitted before it.', {
    faults: faults.flat(),
  });
}
