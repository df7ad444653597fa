import type { Pool } from 'pg';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { ParkedSelection, ParkedTaskView } from '../../domain/schemas/parked-task.ts';
import { createConditions } from './conditions.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { query } from './query.ts';

/** A task that is parked for the failure of this attempt. */
export interface FailedTask {
  readonly goalId: GoalId;
  readonly taskId: string;
  readonly attempt: number;
}

export interface ParkedTaskStore {
  /** Newest first, over all goals. @throws ASTRA_PARAMETER_INVALID for a strange cursor; ASTRA_UNAVAILABLE */
  list(
    tenant: string,
    filter: {
      readonly goalId?: GoalId | undefined;
      readonly code?: string | undefined;
      readonly reason?: string | undefined;
    },
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ParkedTaskView>>;
  /**
   * Those parked for a failure that their goals were not told of within the last minute, oldest first.
   * @param options.before parked no later than this; RFC 3339
   */
  failed(
    tenant: string,
    selection: ParkedSelection,
    options: { readonly limit: number; readonly before?: string | undefined },
  ): Promise<readonly FailedTask[]>;
  /** Notes that their goals were told: it takes a while until they show it, and whoever asks for more means others. */
  noteTold(tenant: string, tasks: readonly FailedTask[]): Promise<void>;
}

// Of a failure `detail` is the error's code: to look into the JSON for it would fail where a message has a NUL.

/** What an ended goal has left behind waits for nobody. */
const table = `(SELECT p.* FROM parked_tasks p JOIN goals g ON g.tenant = p.tenant AND g.goal_id = p.goal_id
  WHERE g.finished_at IS NULL) AS parked`;
const id = `(goal_id || '.' || task_id)`;

type Row = Omit<ParkedTaskView, 'parkedAt'> & { readonly parked_at: Date; readonly parked: string };

const columns = `goal_id AS "goalId", task_id AS "taskId", tool, title, reason, detail, error, attempt, parked_at,
  ${exactTime('parked_at')} AS parked`;

export function createParkedTaskStore(pool: Pool): ParkedTaskStore {
  return {
    list: (tenant, { goalId, code, reason }, page) =>
      listNewest<Row, ParkedTaskView>(
        pool,
        {
          table,
          columns,
          order: ['parked_at', id],
          filters: { tenant, goal_id: goalId, reason, detail: code },
        },
        {
          ...page,
          item: ({ parked_at, parked: _, ...task }) => ({ ...task, parkedAt: parked_at.toISOString() }),
          position: (row) => ({ key: row.parked, id: `${row.goalId}.${row.taskId}` }),
        },
      ),

    failed(tenant, { goalIds, code, olderThanSeconds }, { limit, before }) {
      const conditions = createConditions();
      conditions.add(
        `tenant = ? AND reason = 'failed' AND (told_at IS NULL OR told_at < now() - interval '1 minute')`,
        tenant,
      );
      conditions.add('goal_id = ANY (?::text[])', goalIds);
      conditions.add('detail = ?', code);
      conditions.add('parked_at <= now() - make_interval(secs => ?)', olderThanSeconds);
      conditions.add('parked_at <= ?::timestamptz', before);
      return query<FailedTask>(pool, {
        text: `SELECT goal_id AS "goalId", task_id AS "taskId", attempt FROM ${table} WHERE ${conditions.where()}
          ORDER BY parked_at, ${id} LIMIT ${limit}`,
        values: conditions.values,
      });
    },

    async noteTold(tenant, tasks) {
      // Whoever commits holds a row for what it says of the task itself: that counts, and is not waited for.
      await query(pool, {
        text: `WITH told AS (
            SELECT p.tenant, p.goal_id, p.task_id FROM parked_tasks p
            JOIN unnest($2::text[], $3::text[], $4::integer[]) AS t(goal_id, task_id, attempt)
              ON p.goal_id = t.goal_id AND p.task_id = t.task_id AND p.attempt = t.attempt
            WHERE p.tenant = $1 FOR UPDATE OF p SKIP LOCKED
          )
          UPDATE parked_tasks p SET told_at = now() FROM told t
          WHERE p.tenant = t.tenant AND p.goal_id = t.goal_id AND p.task_id = t.task_id`,
        values: [
          tenant,
          tasks.map(({ goalId }) => goalId),
          tasks.map(({ taskId }) => taskId),
          tasks.map(({ attempt }) => attempt),
        ],
      });
    },
  };
}
