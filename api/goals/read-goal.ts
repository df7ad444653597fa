import { AstraError } from '../../domain/errors.ts';
import { acceptedStateOf } from '../../domain/goal-beginning.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalState } from '../../domain/schemas/goal.ts';
import type { Logger } from '../../platform/logger.ts';
import type { GoalReader } from '../../stores/goal-reader.ts';
import type { DeletionStore } from '../../stores/postgres/deletions.ts';
import type { GoalEngine } from './goal-engine.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';

/** `json` is the view without `links`. */
export interface ReadGoal {
  readonly seq: number;
  readonly json: string;
}

/** What the view says besides its head. */
// The recorder, or the code below, wrote the text.
export const stateOf = ({ json }: Pick<ReadGoal, 'json'>): GoalState => JSON.parse(json) as GoalState;

export interface ReadGoalDeps {
  readonly reader: Pick<GoalReader, 'view'>;
  readonly engine: Pick<GoalEngine, 'find' | 'query'>;
  readonly deletions: Pick<DeletionStore, 'isLeaving'>;
  readonly logger: Logger;
}

export const goalNotFound = ({ goalId }: Pick<GoalRef, 'goalId'>): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `There is no goal ${goalId}.`);

/**
 * The goal's view: from the stores, else from the workflow itself, which knows a goal before its first event is
 * recorded and while both stores are away.
 * @throws ASTRA_NOT_FOUND, for another tenant's goal too; ASTRA_UNAVAILABLE
 */
export async function readGoal({ reader, engine, deletions, logger }: ReadGoalDeps, goal: GoalRef): Promise<ReadGoal> {
  const { tenant, goalId } = goal;
  try {
    const stored = await reader.view(tenant, goalId);
    if (stored) return stored;
  } catch (error) {
    logger.warn({ err: error, goalId }, 'the stores do not answer; asking the workflow');
  }
  const started = await engine.find(tenant, goalId);
  if (!started || (await isLeaving(deletions, goal))) throw goalNotFound(goal);
  const known = await engine.query(goalId);
  return { seq: 0, json: JSON.stringify({ ...goalHeadOf(started), ...acceptedStateOf(started), ...known }) };
}

/** Temporal knows a goal for some seconds after everything else has forgotten it. */
async function isLeaving(deletions: ReadGoalDeps['deletions'], goal: GoalRef): Promise<boolean> {
  // While Postgres is away nothing is deleted.
  return deletions.isLeaving(goal).catch(() => false);
}
