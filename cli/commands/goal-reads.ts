import type { GoalStatus, GoalView } from '@astra/sdk';
import { downloadArtifacts } from '../download-artifacts.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { whyEnded } from '../why-ended.ts';
import { approvalHint } from '../approval-hint.ts';
import { clean } from '../text/clean.ts';
import { formatTime } from '../text/format-time.ts';
import { formatJson } from '../text/format-json.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';
import { formatHead } from '../watch/goal-frame.ts';
import { exitCodeOf } from '../watch/outcome.ts';
import { openQuestions } from '../watch/questions.ts';
import { describeWait } from '../watch/describe-wait.ts';
import { formatTask } from '../watch/task-line.ts';
import { orderTasks } from '../watch/task-order.ts';

const defaultWidth = 120;

export async function printGoal(session: Session, id: string): Promise<undefined> {
  const { astra, io } = session;
  const goal = await astra.goals.get(id, { signal: io.signal });
  const why = session.json ? [] : await whyEnded(session, id, goal.status);
  session.print(goal, () => {
    const { template, labels, error, usage, parentGoalId, cascadeId, waitingFor, createdAt, finishedAt, links } = goal;
    const { replans } = goal;
    const facts: readonly (readonly [string, string | null])[] = [
      ['template', template],
      [
        'labels',
        Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(' ') || null,
      ],
      ['parent', parentGoalId],
      ['cascade', cascadeId ?? null],
      ['waits', waitingFor && [waitingFor.kind, waitingFor.until ?? waitingFor.detail].join(' ')],
      ['replans', replans ? `${replans.used} of ${replans.limit}` : null],
      ['created', createdAt],
      // Of goals that were recorded before there were limits it is undefined.
      ['waiting', waitingFor ? describeWait(waitingFor, (at) => at) : null],
      ['finished', finishedAt],
      ['error', error === null ? null : `${error.code} ${error.message}`],
      ['usage', usage.tokens === 0 ? null : `${usage.tokens} tokens, ${usage.usd} USD`],
      ['temporal', links.temporal],
    ];
    return [
      ...formatHead(goal, {
        paint: session.paint(io.stdout),
        width: terminalWidth(io.stdout) ?? defaultWidth,
        now: Date.now(),
      }),
      ...facts
        .filter(([, value]) => value !== null)
        .map(([name, value]) => `  ${name.padEnd(8)}  ${clean(value ?? '')}`),
      ...why.map((line) => `  ${line}`),
    ];
  });
}

interface ListFlags {
  readonly status?: GoalStatus[];
  readonly label?: Readonly<Record<string, string>>;
  readonly template?: string;
  readonly cascade?: string;
  readonly limit: number;
}

export async function printGoals(session: Session, flags: ListFlags): Promise<undefined> {
  const { astra, io } = session;
  const { status, label, template, cascade, limit } = flags;
  const filters = { status, labels: label, template, cascadeId: cascade, limit: Math.min(limit, 500) };
  const goals = await takeItems(astra.goals.all(filters, { signal: io.signal }), limit);
  const row = ({ id, status: state, progress, createdAt, objective }: GoalView) => [
    id,
    state,
    `${progress.completed}/${progress.total}`,
    formatTime(createdAt, Date.now()),
    objective,
  ];
  session.print({ items: goals }, () =>
    goals.length === 0
      ? ['no goals']
      : formatTable(['ID', 'STATUS', 'TASKS', 'CREATED', 'OBJECTIVE'], goals.map(row), terminalWidth(io.stdout)),
  );
}

export async function printGraph(session: Session, id: string): Promise<undefined> {
  const { astra, io } = session;
  const [goal, graph] = await Promise.all([
    astra.goals.get(id, { signal: io.signal }),
    astra.goals.graph(id, { signal: io.signal }),
  ]);
  session.print(graph, () => {
    const options = {
      paint: session.paint(io.stdout),
      width: terminalWidth(io.stdout) ?? defaultWidth,
      now: Date.now(),
      tick: null,
    };
    return [
      ...formatHead(goal, { ...options, eta: graph.eta }),
      ...orderTasks(graph).tree.map(({ task, level }) => formatTask(task, level, options)),
    ];
  });
  if (!session.json) for (const approvalId of openQuestions(graph)) session.note(`decide: ${approvalHint(approvalId)}`);
}

export async function printResult(
  session: Session,
  id: string,
  { timeout }: { readonly timeout?: number },
): Promise<ExitCode> {
  const { astra, io } = session;
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
  const result = await astra.goals.result(id, { timeoutMs, signal: io.signal });
  const why = session.json || result.status === 'completed' ? [] : await whyEnded(session, id, result.status);
  session.print(result, () => {
    if (result.status !== 'completed') {
      const { status, error } = result;
      return [error === null ? status : `${status}: ${error.code} ${clean(error.message)}`, ...why];
    }
    if (result.artifact === undefined) return [formatJson(result.output)];
    const { name, sizeBytes } = result.artifact;
    return [`${clean(name)}, ${sizeBytes} bytes: \`npx astra goal artifacts ${id} --download <dir>\` fetches it`];
  });
  return exitCodeOf(result.status);
}

export async function printArtifacts(
  session: Session,
  id: string,
  { download }: { readonly download?: string },
): Promise<undefined> {
  const { astra, io } = session;
  const artifacts = await takeItems(astra.goals.artifacts(id, { signal: io.signal }), Number.POSITIVE_INFINITY);
  if (download !== undefined) {
    const paths = await downloadArtifacts(session, artifacts, download);
    session.print({ items: artifacts.map((artifact, index) => ({ ...artifact, path: paths[index] })) }, () =>
      paths.map(clean),
    );
    return;
  }
  session.print({ items: artifacts }, () =>
    artifacts.length === 0
      ? ['no artifacts']
      : formatTable(
          ['ID', 'TASK', 'BYTES', 'TYPE', 'NAME'],
          artifacts.map(({ id: artifactId, taskId, sizeBytes, mediaType, name }) => [
            artifactId,
            taskId ?? '',
            String(sizeBytes),
            mediaType,
            name,
          ]),
          terminalWidth(io.stdout),
        ),
  );
}
