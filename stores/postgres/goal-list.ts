import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalStatus } from '../../domain/schemas/goal.ts';
import { createConditions } from './conditions.ts';
import { decodeCursor, exactTime, toPage, type Page } from './cursor.ts';
import { query } from './query.ts';

export interface GoalFilter {
  readonly statuses?: readonly GoalStatus[] | undefined;
  /** All of them must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly template?: string | undefined;
  readonly parentGoalId?: GoalId | undefined;
  readonly cascadeId?: string | undefined;
  /** RFC 3339; inclusive. */
  readonly createdAfter?: string | undefined;
  /** RFC 3339; exclusive. */
  readonly createdBefore?: string | undefined;
}
/** `json` is the goal's view without `links`. */
export interface ListedGoal {
  readonly goalId: GoalId;
  readonly json: string;
}

export interface GoalList {
  /** Newest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    filter: GoalFilter,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ListedGoal>>;
  /** Of the submission the goal was made from; null when there is no such goal. */
  bodyHash(tenant: string, goalId: GoalId): Promise<string | null>;
  /** Those of the goals of which anything is recorded. */
  findRecorded(goals: readonly GoalRef[]): Promise<ReadonlySet<GoalId>>;
}

interface Row {
  readonly goal_id: GoalId;
  readonly created: string;
  readonly json: string;
}

/** Goals as lists show them. */
export function createGoalList(pool: Pool): GoalList {
  return {
    async list(tenant, filter, { limit, cursor }) {
      const position = decodeCursor(cursor);
      const conditions = createConditions();
      conditions.add('tenant = ?', tenant);
      conditions.add('status = ANY(?::text[])', filter.statuses);
      conditions.add('labels @> ?::jsonb', filter.labels && JSON.stringify(filter.labels));
      conditions.add('template = ?', filter.template);
      conditions.add('parent_goal_id = ?', filter.parentGoalId);
      conditions.add('cascade_id = ?', filter.cascadeId);
      conditions.add('created_at >= ?::timestamptz', filter.createdAfter);
      conditions.add('created_at < ?::timestamptz', filter.createdBefore);
      conditions.add('(created_at, goal_id) < (?::timestamptz, ?)', position?.key, position?.id);
      const rows = await query<Row>(pool, {
        // The view has the fields of both objects: their texts, as JSON.stringify wrote them, are joined at the braces.
        text: `SELECT goal_id, ${exactTime('created_at')} AS created,
                 left(head::text, -1) || ',' || substr(state::text, 2) AS json
               FROM goals WHERE ${conditions.where()} ORDER BY created_at DESC, goal_id DESC LIMIT ${limit + 1}`,
        values: conditions.values,
      });
      return toPage(rows, limit, {
        item: (row) => ({ goalId: row.goal_id, json: row.json }),
        position: (row) => ({ key: row.created, id: row.goal_id }),
      });
    },

    async bodyHash(tenant, goalId) {
      const rows = await query<{ body_hash: string | null }>(pool, {
        name: 'goal-body-hash',
        text: 'SELECT body_hash FROM goals WHERE tenant = $1 AND goal_id = $2',
        values: [tenant, goalId],
      });
      return rows[0]?.body_hash ?? null;
    },

    async findRecorded(goals) {
      const rows = await query<{ goal_id: GoalId }>(pool, {
        name: 'find-recorded',
        text: `SELECT goal_id FROM goals
               WHERE (tenant, goal_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
        values: [goals.map(({ tenant }) => tenant), goals.map(({ goalId }) => goalId)],
      });
      return new Set(rows.map(({ goal_id: id }) => id));
    },
  };
}
