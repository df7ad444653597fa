import { acceptedStateOf } from '../../domain/goal-beginning.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { ApiDeps } from '../deps.ts';
import { createGoalLinks } from './goal-links.ts';
import { readGoal } from './read-goal.ts';
import { createSubmitGoal, type SubmitGoal } from './submit-goal.ts';

export type AcceptGoalDeps = Pick<
  ApiDeps,
  'config' | 'engine' | 'admission' | 'goalList' | 'templates' | 'catalogue' | 'reader' | 'logger' | 'deletions'
>;

/** How a submission is answered, alone or in a batch. */
export interface AcceptedGoal {
  readonly goalId: GoalId;
  /** 200: an earlier request with the same key and body had started it. */
  readonly status: 202 | 200;
  /** The goal's view. */
  readonly json: string;
}
export type AcceptGoal = (...args: Parameters<SubmitGoal>) => Promise<AcceptedGoal>;

/** Submits a goal and shows it. @throws (from the function) as `SubmitGoal` */
export function createAcceptGoal(deps: AcceptGoalDeps): AcceptGoal {
  const { config, reader } = deps;
  const links = createGoalLinks(config);
  const submitGoal = createSubmitGoal({ ...deps, model: config.ASTRA_MODEL });

  return async (tenant, body, options) => {
    const { goalId, started } = await submitGoal(tenant, body, options);
    if (!started) {
      const { json } = await readGoal(deps, { tenant, goalId });
      return { goalId, status: 200, json: links.addTo(json, goalId) };
    }
    const head = goalHeadOf(started);
    const state = acceptedStateOf(started);
    // So that a read that follows finds it before its first event is recorded. Without Redis, Temporal answers that read.
    await reader.seed(head, state);
    return { goalId, status: 202, json: links.addTo(JSON.stringify({ ...head, ...state }), goalId) };
  };
}
