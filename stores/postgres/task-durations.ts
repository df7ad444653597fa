import type { Pool } from 'pg';
import type { KnownSeconds } from '../../domain/task-type.ts';
import { query } from './query.ts';

/** Tasks of a type that have completed. */
export interface SeenTasks {
  readonly tenant: string;
  readonly taskType: string;
  readonly tasks: number;
  readonly seconds: number;
}

export interface TaskDurationStore {
  /** Each type of a tenant at most once. */
  add(seen: readonly SeenTasks[]): Promise<void>;
  ofTenant(tenant: string): Promise<KnownSeconds>;
}

/** Of all that a tenant has run, what was run last. */
const mostTypes = 2_000;

/** Until there were twenty tasks their mean; from then on each counts for a twentieth: an exponentially weighted mean. */
const weight = `greatest(excluded.tasks / (d.tasks + excluded.tasks)::float8, 1 - power(0.95, excluded.tasks))`;

export function createTaskDurationStore(pool: Pool): TaskDurationStore {
  return {
    async add(seen) {
      // In one order everywhere: workers that add the same types at the same time wait for each other, and no more.
      const inOrder = seen.toSorted((a, b) => compare(a.tenant, b.tenant) || compare(a.taskType, b.taskType));
      await query(pool, {
        name: 'task-durations-add',
        text: `INSERT INTO task_durations AS d (tenant, task_type, tasks, mean_seconds, updated_at)
          SELECT tenant, task_type, tasks, seconds / tasks, now()
          FROM unnest($1::text[], $2::text[], $3::bigint[], $4::float8[]) AS s(tenant, task_type, tasks, seconds)
          ON CONFLICT (tenant, task_type) DO UPDATE SET tasks = d.tasks + excluded.tasks, updated_at = now(),
            mean_seconds = d.mean_seconds + (excluded.mean_seconds - d.mean_seconds) * ${weight}`,
        values: [
          inOrder.map(({ tenant }) => tenant),
          inOrder.map(({ taskType }) => taskType),
          inOrder.map(({ tasks }) => tasks),
          inOrder.map(({ seconds }) => seconds),
        ],
      });
    },

    async ofTenant(tenant) {
      const rows = await query<{ task_type: string; mean_seconds: number }>(pool, {
        name: 'task-durations-of-tenant',
        text: `SELECT task_type, mean_seconds FROM task_durations WHERE tenant = $1
          ORDER BY updated_at DESC LIMIT ${mostTypes}`,
        values: [tenant],
      });
      return new Map(rows.map(({ task_type, mean_seconds }) => [task_type, mean_seconds]));
    },
  };
}

/** By their bytes, as the table's collation does. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
