import { escapeIdentifier, type ClientBase, type Pool } from 'pg';
import { forgetSubject, type Forgetting } from '../../domain/forget-subject.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Json } from '../../domain/json.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { query } from './query.ts';
import { inOwnTransaction } from './transaction.ts';

/** What the record keeps of the subjects of tokens: who submitted a goal, and whom its approvals name. */
export interface SubjectRecords {
  /** The tenant's goals in the order of their ids, after the given one; `own`: the subject submitted it. */
  goals(tenant: string, options: PageOptions): Promise<readonly GoalOfTenant[]>;
  /** Its approvals in the order of their ids. */
  approvals(tenant: string, options: PageOptions): Promise<readonly ApprovalOfTenant[]>;
  /** Puts a pseudonym into the goal's approvals and their events. @returns how many votes it stands under */
  forget(goal: GoalRef, forgetting: Forgetting): Promise<number>;
}
interface PageOptions {
  readonly subject: string;
  readonly after: string;
  readonly limit: number;
}
interface GoalOfTenant {
  readonly id: string;
  readonly goalId: GoalId;
  readonly own: boolean;
  readonly ended: boolean;
}
interface ApprovalOfTenant extends Omit<GoalOfTenant, 'own'> {
  readonly named: boolean;
}

/** What was asked about is the goal's data, whomever it names. */
const asked = 'input';
/** As a text of JSON has it. */
const quoted = (subject: string): string => JSON.stringify(subject);

/** No index knows subjects: who is forgotten, which is rare, is looked for page by page, so that no goal pays for it. */
export function createSubjectRecords(pool: Pool): SubjectRecords {
  return {
    async goals(tenant, { subject, after, limit }) {
      const rows = await query<{ goal_id: GoalId; own: boolean; ended: boolean }>(pool, {
        text: `SELECT goal_id, submitted_by IS NOT DISTINCT FROM $3 AS own, finished_at IS NOT NULL AS ended FROM goals
          WHERE tenant = $1 AND goal_id > $2 ORDER BY goal_id LIMIT $4`,
        values: [tenant, after, subject, limit],
      });
      return rows.map(({ goal_id: goalId, own, ended }) => ({ id: goalId, goalId, own, ended }));
    },

    async approvals(tenant, { subject, after, limit }) {
      const rows = await query<{ approval_id: string; goal_id: GoalId; named: boolean; ended: boolean }>(pool, {
        text: `SELECT a.approval_id, a.goal_id, coalesce((SELECT bool_or(position($3 IN value::text) > 0)
              FROM json_each(row_to_json(a)) WHERE key <> '${asked}'), false) AS named,
            g.finished_at IS NOT NULL AS ended
          FROM approvals a JOIN goals g ON g.tenant = a.tenant AND g.goal_id = a.goal_id
          WHERE a.tenant = $1 AND a.approval_id > $2 ORDER BY a.approval_id LIMIT $4`,
        values: [tenant, after, quoted(subject), limit],
      });
      return rows.map(({ approval_id: id, goal_id: goalId, named, ended }) => ({ id, goalId, named, ended }));
    },

    forget: (goal, forgetting) => inOwnTransaction(pool, (client) => forgetIn(client, goal, forgetting)),
  };
}

async function forgetIn(client: ClientBase, { tenant, goalId }: GoalRef, forgetting: Forgetting): Promise<number> {
  const where = 'tenant = $1 AND goal_id = $2';
  const values = [tenant, goalId];
  const named = [...values, quoted(forgetting.subject)];
  const forgotten = (text: string): string => {
    // Of a column of JSON.
    const value = JSON.parse(text) as Json;
    return JSON.stringify(forgetSubject(value, forgetting));
  };
  await query(client, { text: `SELECT FROM goals WHERE ${where} FOR UPDATE`, values });

  const columns = await query<{ name: string }>(client, {
    text: `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'approvals'::regclass
      AND atttypid IN ('json'::regtype, 'jsonb'::regtype) AND attname <> '${asked}' AND NOT attisdropped`,
  });
  for (const column of columns.map(({ name }) => escapeIdentifier(name))) {
    const rows = await query<{ approval_id: string; text: string }>(client, {
      text: `SELECT approval_id, ${column}::text AS text FROM approvals
        WHERE ${where} AND position($3 IN ${column}::text) > 0`,
      values: named,
    });
    for (const { approval_id: id, text } of rows) {
      await query(client, {
        text: `UPDATE approvals SET ${column} = $3 WHERE tenant = $1 AND approval_id = $2`,
        values: [tenant, id, forgotten(text)],
      });
    }
  }

  const events = await query<{ seq: number; type: string; text: string }>(client, {
    text: `SELECT seq, type, data::text AS text FROM events
      WHERE ${where} AND type LIKE 'approval.%' AND position($3 IN data::text) > 0`,
    values: named,
  });
  for (const { seq, text } of events) {
    await query(client, {
      text: `UPDATE events SET data = $4 WHERE ${where} AND seq = $3`,
      values: [...values, seq, forgotten(text)],
    });
  }
  return events.filter(({ type }) => type === 'approval.decided').length;
}
