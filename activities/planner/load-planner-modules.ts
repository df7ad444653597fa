import { loadModules } from '../load-modules.ts';
import type { Planner } from './define-planner.ts';

/**
 * Users' own planners: each module exports `planners`, an array of what `definePlanner` gives.
 * @throws ASTRA_PARAMETER_INVALID naming the module
 */
export const loadPlannerModules = (paths: readonly string[]): Promise<Planner[]> =>
  loadModules(paths, {
    variable: 'ASTRA_PLANNER_MODULES',
    exported: 'planners',
    maker: 'definePlanner',
    isItem: isPlanner,
  });

const isPlanner = (value: unknown): value is Planner =>
  typeof value === 'object' &&
  value !== null &&
  'timeoutSeconds' in value &&
  'replan' in value &&
  typeof value.replan === 'function';
