import { AstraError } from '../../domain/errors.ts';
import { replanTermsOf } from '../../domain/replans.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Planner } from './define-planner.ts';

/** The planners of a worker, by name. */
export type Planners = ReadonlyMap<string, Planner>;

/** @throws ASTRA_PARAMETER_INVALID when two planners have one name */
export function createPlannerRegistry(planners: readonly Planner[]): Planners {
  const byName = new Map<string, Planner>();
  for (const planner of planners) {
    const { name } = planner;
    if (byName.has(name))
      throw new AstraError('ASTRA_PARAMETER_INVALID', `Two planners are called ${name}; rename one of them.`);
    byName.set(name, planner);
  }
  return byName;
}

/** A goal must not find out that its planner is not there when it needs it. @throws ASTRA_REPLAN_FAILED */
export function requirePlanner(planners: Planners, submission: GoalSubmission): void {
  const terms = replanTermsOf(submission);
  if (terms) findPlanner(planners, terms.planner);
}

/** @throws ASTRA_REPLAN_FAILED */
export function findPlanner(planners: Planners, name: string): Planner {
  const planner = planners.get(name);
  if (planner) return planner;
  const known = [...planners.keys()].join(', ');
  throw new AstraError(
    'ASTRA_REPLAN_FAILED',
    `The workers have no planner "${name}" (they have: ${known}). Correct the name, or set ASTRA_PLANNER_MODULES for all of them.`,
  );
}
