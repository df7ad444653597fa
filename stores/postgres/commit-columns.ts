import { detailsOf } from '../../domain/approvals/approval-details.ts';
import type { GoalWrite } from '../goal-write.ts';

type Column<T> =
  | ((row: T) => string | number | null)
  | {
      /** For columns of type json: JSON text. */
      readonly json: (row: T) => string | null;
    };

/** Rows of one table as one array a column. */
const transpose = <T>(rows: readonly T[], columns: readonly Column<T>[]): unknown[] =>
  columns.map((column) => (typeof column === 'function' ? rows.map(column) : jsonArray(rows.map(column.json))));

/**
 * JSON texts as an array's own text. `JSON.stringify` has left no control character in them, and of others it escapes
 * just what an array's text must: this is what pg would make of the texts, in a fifth of the time.
 */
const jsonArray = (texts: readonly (string | null)[]): string =>
  `{${texts.map((text) => (text === null ? 'NULL' : JSON.stringify(text))).join(',')}}`;

/** `text` and `jsonb` cannot hold U+0000 and lone surrogates, which JSON strings may; `json` keeps them, escaped. */
const plainText = (text: string): string => text.toWellFormed().replaceAll('\0', '\uFFFD');
const nullableJson = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** Each goal's rows of another table, with the goal. */
const spread = <T extends object>(writes: readonly GoalWrite[], rowsOf: (write: GoalWrite) => readonly T[]) =>
  writes.flatMap((write) =>
    rowsOf(write).map((row) => ({ ...row, tenant: write.goal.tenant, goal: write.goal.goalId })),
  );

function goalColumns(writes: readonly GoalWrite[]): unknown[] {
  const created = spread(writes, (write) => (write.created ? [{ ...write, ...write.created }] : []));
  return [
    ...transpose(
      writes.filter((write) => !write.created),
      [
        ({ goal }) => goal.tenant,
        ({ goal }) => goal.goalId,
        ({ baseSeq }) => baseSeq,
        ({ state }) => state.seq,
        ({ state }) => state.status,
        { json: ({ stateJson }) => stateJson },
        ({ marks }) => marks,
        ({ state }) => state.finishedAt,
      ],
    ),
    ...transpose(created, [
      (row) => row.tenant,
      (row) => row.goal,
      ({ state }) => state.seq,
      ({ state }) => state.status,
      { json: ({ stateJson }) => stateJson },
      ({ marks }) => marks,
      ({ state }) => state.finishedAt,
      { json: ({ headJson }) => headJson },
      { json: ({ submission }) => JSON.stringify(submission.documents) },
      ({ head }) =>
        JSON.stringify(Object.fromEntries(Object.entries(head.labels).map(([key, value]) => [key, plainText(value)]))),
      ({ head }) => head.template,
      ({ head }) => head.parentGoalId,
      ({ head }) => head.priority,
      ({ submission }) => submission.bodyHash,
      ({ head }) => head.createdAt,
    ]),
  ];
}

const ofGoal: readonly Column<{ readonly tenant: string; readonly goal: string }>[] = [
  ({ tenant }) => tenant,
  ({ goal }) => goal,
];

const eventColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ events }) => events),
    [
      ...ofGoal,
      ({ event }) => event.seq,
      ({ event }) => event.type,
      ({ event }) => event.taskId,
      ({ event }) => event.attempt,
      ({ event }) => event.at,
      { json: ({ dataJson }) => dataJson },
    ],
  );

const taskColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ tasks }) => tasks),
    [
      ...ofGoal,
      ({ id }) => id,
      ({ item }) => item,
      ({ status }) => status,
      ({ attempt }) => attempt,
      ({ seq }) => seq,
      { json: ({ stateJson }) => stateJson },
      { json: ({ outputJson }) => outputJson },
      { json: ({ artifactJson }) => artifactJson },
    ],
  );

const planColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ plan }) => (plan ? [plan] : [])),
    [
      ...ofGoal,
      ({ revision }) => revision,
      { json: ({ planJson }) => planJson },
      { json: ({ outlineJson }) => outlineJson },
      { json: ({ paramsJson }) => paramsJson },
    ],
  );

const artifactColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ artifacts }) => artifacts),
    [
      ...ofGoal,
      ({ taskId }) => taskId,
      ({ artifact }) => artifact.id,
      ({ artifact }) => artifact.sha256,
      ({ artifact }) => plainText(artifact.name),
      ({ artifact }) => plainText(artifact.mediaType),
      ({ artifact }) => artifact.sizeBytes,
      ({ at }) => at,
    ],
  );

const approvalColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ approvals }) => approvals),
    [
      ...ofGoal,
      ({ taskId }) => taskId,
      ({ id }) => id,
      ({ kind }) => kind,
      ({ prompt }) => plainText(prompt),
      { json: ({ input }) => nullableJson(input) },
      ({ status }) => status,
      ({ required }) => required,
      { json: ({ votes }) => JSON.stringify(votes) },
      ({ requestedAt }) => requestedAt,
      ({ expiresAt }) => expiresAt,
    ],
  );

/** Of the created goals, as the last of their columns. */
const cascadeColumn = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    writes.flatMap(({ created }) => created ?? []),
    [({ head }) => head.cascadeId ?? null],
  );

/** The parameters of the outbox's part of the statement, which follow those below. */
export const deliveryColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    spread(writes, ({ deliveries }) => deliveries),
    [
      ...ofGoal,
      ({ id }) => id,
      ({ webhookId }) => webhookId,
      ({ endpoint }) => endpoint,
      ({ url }) => url,
      ({ event }) => event.seq,
      ({ event }) => event.type,
    ],
  );

/** The parameters of `parkedClauses`. */
export const parkedColumns = (writes: readonly GoalWrite[]): unknown[] => {
  const rows = spread(writes, ({ parked }) => [...(parked ?? [])].map(([taskId, change]) => ({ taskId, change })));
  const entered = rows.flatMap(({ change, ...row }) => (change ? [{ ...row, ...change }] : []));
  const left = rows.filter(({ change }) => change === null);
  return [
    ...transpose(left, [...ofGoal, ({ taskId }) => taskId]),
    ...transpose(entered, [
      ...ofGoal,
      ({ taskId }) => taskId,
      ({ tool }) => tool,
      ({ title }) => plainText(title),
      ({ reason }) => reason,
      ({ detail }) => plainText(detail),
      { json: ({ error }) => nullableJson(error) },
      ({ attempt }) => attempt,
      ({ at }) => at,
    ]),
  ];
};

const submitterColumns = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    writes.flatMap(({ created }) => (created ? [created.submission] : [])),
    [({ submittedBy }) => (submittedBy === undefined ? null : plainText(submittedBy))],
  );

/** Of the approvals, as the last of their columns. */
const detailsColumn = (writes: readonly GoalWrite[]): unknown[] =>
  transpose(
    writes.flatMap(({ approvals }) => approvals),
    [{ json: (approval) => JSON.stringify(detailsOf(approval)) }],
  );

/** The parameters of the statement in commit.ts, in its order. */
export const commitColumns = (writes: readonly GoalWrite[]): unknown[] =>
  [
    goalColumns,
    eventColumns,
    taskColumns,
    planColumns,
    artifactColumns,
    approvalColumns,
    cascadeColumn,
    submitterColumns,
    detailsColumn,
  ].flatMap((columns) => columns(writes));
