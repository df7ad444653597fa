import type { ClientBase, Pool } from 'pg';
import { emptyRecord, startChanges, type Changes, type GoalRecord } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { reduce } from '../../domain/goal-view.ts';
import { goalWrite } from '../goal-write.ts';
import { commitGoals } from './commit.ts';
import { readEvents } from './read-goal.ts';
import { inTransaction } from './transaction.ts';

const pageSize = 1_000;
const derivedTables = ['tasks', 'approvals', 'artifacts', 'parked_tasks'] as const;

/** The fold of all that is recorded of a goal. @throws what pg throws */
export async function foldEvents(
  db: Pool | ClientBase,
  goal: GoalRef,
): Promise<{ readonly record: GoalRecord; readonly changes: Changes }> {
  const record = emptyRecord();
  const changes = startChanges(record);
  for (;;) {
    const page = await readEvents(db, goal, { afterSeq: record.state.seq, limit: pageSize });
    for (const event of page) reduce(record, event, changes);
    // Nothing of it will be taken back.
    changes.undo.length = 0;
    if (page.length < pageSize) return { record, changes };
  }
}

/**
 * Writes a goal's rows anew from its events, in one transaction during which nothing else is recorded of it. What is
 * not in the events stays: the plan, the documents.
 * @returns the goal's `seq`; null when it has no events
 * @throws what pg throws
 */
export function rebuildGoal(pool: Pool, goal: GoalRef): Promise<number | null> {
  const key = [goal.tenant, goal.goalId];
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ seq: number }>(
      'SELECT seq FROM goals WHERE tenant = $1 AND goal_id = $2 FOR UPDATE',
      key,
    );
    const { record, changes } = await foldEvents(client, goal);
    if (record.state.seq > 0) {
      for (const table of derivedTables) {
        await client.query(`DELETE FROM ${table} WHERE tenant = $1 AND goal_id = $2`, key);
      }
      // The budgets have followed these events already.
      const ofGoal = { ...changes, ledger: null };
      await commitGoals(client, [goalWrite(goal, { record, changes: ofGoal, baseSeq: rows[0]?.seq ?? 0, events: [] })]);
    }
    return record.state.seq || null;
  });
}
