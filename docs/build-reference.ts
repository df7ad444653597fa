import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Registry } from 'prom-client';
import { z } from 'zod';
import { createAdmissionMetrics } from '../api/admission/admission-metrics.ts';
import { createReadCounter } from '../api/middleware/observe.ts';
import { createRequestCounter } from '../api/request-counter.ts';
import { limits } from '../domain/limits.ts';
import { configVariables, type Config } from '../platform/config.ts';
import { createWorkerMetrics } from '../worker/worker-metrics.ts';

/** `npm run docs`: writes the tables of docs/reference that the code knows. The text around them is written by hand. */
const directory = join(import.meta.dirname, 'reference');
const marks = { begin: '<!-- generated: begin -->', end: '<!-- generated: end -->' };

type Row = readonly string[];
/** The first two lines and then a row each; prettier aligns them. */
const table = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

type Value = Config[keyof Config];

/** As it would be written into the environment. Only defaults come here, so a secret may be told. */
function shownDefault(value: Value): string {
  if (typeof value !== 'object') return String(value ?? '');
  return 'reveal' in value ? value.reveal() : [...value].join(',');
}

function shownValues(schema: z.ZodType): string {
  // What an environment variable may hold, as JSON Schema says it.
  const {
    type,
    format: form,
    enum: choices,
    minimum,
  } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (choices) return choices.map((choice) => code(String(choice))).join(', ');
  if (type === 'integer') return minimum === 1 ? 'whole number from 1' : 'port';
  return form === 'uri' ? 'URL' : '';
}

function configurationTable(): string {
  const rows = Object.entries(configVariables).map(([name, schema]) => [
    code(name),
    code(shownDefault(schema.safeParse(undefined).data)),
    shownValues(schema),
    schema.description ?? '',
  ]);
  return table(['variable', 'default', 'values', 'meaning'], rows);
}

/** What a bound is of, and what happens beyond it. */
const limitMeanings: Readonly<Record<keyof typeof limits, readonly [of: string, beyond: string]>> = {
  planTasks: ['tasks of a plan', '`ASTRA_PLAN_INVALID`'],
  planBytes: ['a plan, as JSON', '`ASTRA_PLAN_INVALID`'],
  goalBodyBytes: ['a request’s body', '`ASTRA_BODY_TOO_LARGE`'],
  fanIn: ['dependencies of one task', '`ASTRA_PLAN_INVALID`'],
  subGoalDepth: ['goals written out in one another', '`ASTRA_PLAN_INVALID`'],
  mapItems: ['items of a map', '`ASTRA_MAP_FAILED`'],
  inlineOutputBytes: ['an output that travels inline, as JSON', 'it becomes an artifact'],
  resolvedOutputBytes: ['an output that expressions see as a value', 'they see the artifact’s reference'],
  scopeBytes: ['outputs that the expressions of one task resolve to values', 'they stay references'],
  eventBytes: ['an outside event (JSON)', 'refused: `ASTRA_BODY_INVALID`'],
  mailboxEvents: ['outside events of a goal that no wait has taken yet', 'dropped, with a line in the worker log'],
  artifactBytes: ['an artifact', 'not checked by Astra yet; the object storage refuses a larger upload'],
  labels: ['labels of a goal', '`ASTRA_BODY_INVALID`'],
  startDelaySeconds: ['seconds from a submission to its goal’s beginning', '`ASTRA_BODY_INVALID`'],
  goalDependencies: ['goals that one goal waits for', '`ASTRA_BODY_INVALID`'],
  batchItems: ['goals of a batch', '`ASTRA_BODY_INVALID`, and none is started'],
  batchBytes: ['the body of a batch', '`ASTRA_BODY_TOO_LARGE`, and none is started'],
  backfillTimes: ['times that one backfill of a schedule runs', '`ASTRA_BODY_INVALID`'],
  flowLimits: ['limits that a tenant has set', '`ASTRA_BODY_INVALID`'],
  documents: ['documents of a goal', '`ASTRA_BODY_INVALID`'],
  expressionChars: ['characters of an expression', '`ASTRA_PLAN_INVALID`'],
  expressionNodes: ['operators, names, literals and calls of an expression', '`ASTRA_PLAN_INVALID`'],
  expressionSteps: [
    'cost of the expressions of one task; a step is an operation or 32 characters of text',
    '`ASTRA_EXPRESSION_FAILED`',
  ],
  jsonDepth: ['lists and objects inside of one another in a body', '`ASTRA_BODY_INVALID`, `ASTRA_PLAN_INVALID`'],
  listPage: ['items of a list’s page', '`ASTRA_PARAMETER_INVALID`'],
  webhooks: ['webhooks of a tenant, and as many inbound ones', '`ASTRA_WEBHOOK_LIMIT`'],
  deciders: ['subjects, and scopes, that an approval names', '`ASTRA_BODY_INVALID`, `ASTRA_PLAN_INVALID`'],
  delegations: ['times that one vote is passed on', '`ASTRA_DELEGATION_INVALID`'],
  replans: ['times that a goal’s planner is asked to mend its plan', '`ASTRA_BODY_INVALID`'],
  parkedTasks: [
    'tasks that one call retries or discards; the goals it may name',
    '`more` in the answer; `ASTRA_BODY_INVALID`',
  ],
  policyRules: ['rules of a tenant’s approval policy', '`ASTRA_BODY_INVALID`'],
};

function shownBytes(bytes: number): string {
  const exponent = Math.floor(Math.log2(bytes) / 10);
  return `${bytes / 1024 ** exponent} ${['B', 'KiB', 'MiB', 'GiB'][exponent] ?? ''}`;
}

function limitsTable(): string {
  const rows = Object.entries(limits).map(([name, value]) => {
    // The entries of an object have its keys.
    const [of, beyond] = limitMeanings[name as keyof typeof limits];
    return [code(name), name.endsWith('Bytes') ? shownBytes(value) : value.toLocaleString('en'), of, beyond];
  });
  return table(['limit', 'at most', 'of', 'beyond it'], rows);
}

function metricsTable(): string {
  const api = new Registry();
  createRequestCounter(api);
  createReadCounter(api);
  createAdmissionMetrics(api);
  const worker = new Registry();
  createWorkerMetrics(worker);
  const rows = Object.entries({ api, worker }).flatMap(([process, registry]) =>
    registry.getMetricsAsArray().map((metric) => {
      // prom-client's types leave out what its instruments carry.
      const { labelNames = [] } = metric as { readonly labelNames?: readonly string[] };
      // The type is a string, whatever the declared enum says.
      return [code(metric.name), String(metric.type), labelNames.map(code).join(', '), process, metric.help];
    }),
  );
  return table(['metric', 'type', 'labels', 'process', 'meaning'], rows);
}

const tables = {
  'configuration.md': configurationTable,
  'limits.md': limitsTable,
  'metrics.md': metricsTable,
};

/** File → text, of every page that has a generated table. */
export async function buildReference(): Promise<Map<string, string>> {
  const built = Object.entries(tables).map(async ([name, createTable]) => {
    const file = join(directory, name);
    const text = await readFile(file, 'utf8');
    const from = text.indexOf(marks.begin);
    const to = text.indexOf(marks.end);
    if (from < 0 || to < from) throw new Error(`${name} has no place for its table: ${marks.begin} … ${marks.end}`);
    const page = `${text.slice(0, from)}${marks.begin}\n\n${createTable()}\n\n${text.slice(to)}`;
    return [file, await format(page, { ...(await resolveConfig(file)), filepath: file })] as const;
  });
  return new Map(await Promise.all(built));
}

if (import.meta.main) {
  for (const [file, text] of await buildReference()) {
    await writeFile(file, text);
    process.stdout.write(`wrote ${relative(process.cwd(), file)}\n`);
  }
}
