import type { ClientBase, Pool } from 'pg';
import {
  changeTypes,
  forgetSubject,
  namedSubjects,
  type Forgetting,
  type NamingText,
} from '../../domain/forget-subject.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Json } from '../../domain/json.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { query } from './query.ts';
import { inOwnTransaction } from './transaction.ts';

/** What the record keeps of the subjects of tokens: who submitted a goal, and who else it and the tenant's settings name. */
export interface SubjectRecords {
  /** The tenant's goals in the order of their ids, after the given one. */
  goals(tenant: string, options: PageOptions): Promise<readonly GoalOfTenant[]>;
  /** The same; `named`: the subject has voted in it or changed its plan, or may decide in it. */
  mentions(tenant: string, options: PageOptions): Promise<readonly MentioningGoal[]>;
  /** Puts a pseudonym there. @returns how many votes it stands under; null: the goal runs, and nothing is done */
  forget(goal: GoalRef, forgetting: Forgetting): Promise<number | null>;
  /** Puts a pseudonym into the tenant's templates and approval policy. */
  forgetInSettings(tenant: string, forgetting: Forgetting): Promise<void>;
}
interface PageOptions {
  readonly subject: string;
  readonly after: string;
  readonly limit: number;
}
interface GoalOfTenant {
  readonly goalId: GoalId;
  /** The subject submitted it. */
  readonly own: boolean;
  readonly ended: boolean;
}
interface MentioningGoal extends Omit<GoalOfTenant, 'own'> {
  readonly named: boolean;
}

/** A column of JSON that may name subjects. */
interface NamingColumn {
  readonly table: string;
  /** Tells the rows apart that one goal, or one tenant's settings, have in the table. */
  readonly key: string;
  readonly column: string;
  /** Which of the rows; all unless given. */
  readonly where?: string;
  readonly text: NamingText;
  /** What is set with it. */
  readonly set?: string;
  readonly isVote?: true;
}
const approval = { table: 'approvals', key: 'approval_id', text: 'approval' } as const;
const event = { table: 'events', key: 'seq', column: 'data' } as const;
const goalColumns: readonly NamingColumn[] = [
  { ...approval, column: 'votes' },
  { ...approval, column: 'details' },
  { ...event, where: `type = 'approval.decided'`, text: 'approval', isVote: true },
  { ...event, where: `type LIKE 'approval.%' AND type <> 'approval.decided'`, text: 'approval' },
  { ...event, where: `type IN (${changeTypes.map((type) => `'${type}'`).join()})`, text: 'change' },
  { table: 'plans', key: 'revision', column: 'plan', text: 'plan' },
  { table: 'plan_proposals', key: 'change_id', column: 'proposal', text: 'plan' },
];
const changed = 'updated_at = now()';
const settingColumns: readonly NamingColumn[] = [
  { table: 'templates', key: 'name', column: 'definition', text: 'plan', set: changed },
  { table: 'approval_policies', key: 'tenant', column: 'rules', text: 'plan', set: changed },
];

/** Whose rows: conditions, and the values for them. */
interface Owner {
  readonly text: string;
  readonly values: readonly string[];
}
const ofTenant = (tenant: string): Owner => ({ text: 'tenant = $1', values: [tenant] });
const ofGoal = ({ tenant, goalId }: GoalRef): Owner => ({
  text: 'tenant = $1 AND goal_id = $2',
  values: [tenant, goalId],
});

/** No index knows subjects: who is forgotten, which is rare, is looked for page by page, so that no goal pays for it. */
export function createSubjectRecords(pool: Pool): SubjectRecords {
  return {
    async goals(tenant, { subject, after, limit }) {
      const rows = await query<{ goal_id: GoalId; own: boolean; ended: boolean }>(pool, {
        text: `SELECT goal_id, submitted_by IS NOT DISTINCT FROM $3 AS own, finished_at IS NOT NULL AS ended FROM goals
          WHERE tenant = $1 AND goal_id > $2 ORDER BY goal_id LIMIT $4`,
        values: [tenant, after, subject, limit],
      });
      return rows.map(({ goal_id: goalId, own, ended }) => ({ goalId, own, ended }));
    },

    async mentions(tenant, { subject, after, limit }) {
      const rows = await query<{ goal_id: GoalId; ended: boolean; possible: boolean }>(pool, {
        text: `SELECT goal_id, finished_at IS NOT NULL AS ended, ${goalColumns.map(isMentioned).join(' OR ')} AS possible
          FROM goals AS g WHERE tenant = $1 AND goal_id > $2 ORDER BY goal_id LIMIT $4`,
        values: [tenant, after, JSON.stringify(subject), limit],
      });
      const goals: MentioningGoal[] = [];
      for (const { goal_id: goalId, ended, possible } of rows) {
        goals.push({ goalId, ended, named: possible && (await isNamed(pool, ofGoal({ tenant, goalId }), subject)) });
      }
      return goals;
    },

    forget: (goal, forgetting) =>
      inOwnTransaction(pool, async (client) => {
        const owner = ofGoal(goal);
        const [found] = await query<{ ended: boolean }>(client, {
          text: `SELECT finished_at IS NOT NULL AS ended FROM goals WHERE ${owner.text} FOR UPDATE`,
          values: [...owner.values],
        });
        if (found?.ended === false) return null;
        let votes = 0;
        for (const column of goalColumns) {
          const renamed = await renameIn(client, column, { owner, forgetting });
          if (column.isVote) votes += renamed;
        }
        return votes;
      }),

    forgetInSettings: (tenant, forgetting) =>
      inOwnTransaction(pool, async (client) => {
        for (const column of settingColumns) {
          await renameIn(client, column, { owner: ofTenant(tenant), forgetting });
        }
        await query(client, {
          text: `UPDATE approval_policies SET updated_by = $3, ${changed} WHERE tenant = $1 AND updated_by = $2`,
          values: [tenant, forgetting.subject, forgetting.pseudonym],
        });
      }),
  };
}

/** In any text of the goal `g`, whatever it says there. */
const isMentioned = ({ table, column, where = 'true' }: NamingColumn): string =>
  `EXISTS (SELECT FROM ${table} AS t WHERE t.tenant = g.tenant AND t.goal_id = g.goal_id AND ${where}
    AND position($3 IN t.${column}::text) > 0)`;

async function isNamed(pool: Pool, owner: Owner, subject: string): Promise<boolean> {
  for (const column of goalColumns) {
    const rows = await read(pool, column, { owner, subject });
    if (rows.some(({ value }) => namedSubjects(value, column.text).has(subject))) return true;
  }
  return false;
}

/** @returns how many rows have changed */
async function renameIn(
  client: ClientBase,
  column: NamingColumn,
  { owner, forgetting }: { readonly owner: Owner; readonly forgetting: Forgetting },
): Promise<number> {
  let renamed = 0;
  for (const { key, value } of await read(client, column, { owner, subject: forgetting.subject })) {
    const forgotten = forgetSubject(value, column.text, forgetting);
    if (forgotten === value) continue;
    const values = [...owner.values, key, JSON.stringify(forgotten)];
    const set = [`${column.column} = $${values.length}`, column.set].filter(Boolean).join(', ');
    const where = `${owner.text} AND ${column.key} = $${values.length - 1}`;
    await query(client, { text: `UPDATE ${column.table} SET ${set} WHERE ${where}`, values });
    renamed += 1;
  }
  return renamed;
}

/** The rows that have the subject's name in any of their texts. */
async function read(
  db: Pool | ClientBase,
  { table, key, column, where = 'true' }: NamingColumn,
  { owner, subject }: { readonly owner: Owner; readonly subject: string },
): Promise<readonly { readonly key: string; readonly value: Json }[]> {
  const values = [...owner.values, JSON.stringify(subject)];
  const rows = await query<{ key: string; text: string }>(db, {
    text: `SELECT ${key}::text AS key, ${column}::text AS text FROM ${table}
      WHERE ${owner.text} AND ${where} AND position($${values.length} IN ${column}::text) > 0`,
    values,
  });
  // Of a column of JSON.
  return rows.map(({ key: id, text }) => ({ key: id, value: JSON.parse(text) as Json }));
}
