import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { createAstra } from '../../sdk/index.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';
import { chain, effectTask, layered, pureTask, wideMap } from './workloads.ts';

/**
 * `npm run bench:limits`: how large a goal may be. Each workload runs alone on a fresh local stack; the figures go into
 * docs/reference/limits.md.
 */
interface Figure {
  readonly name: string;
  readonly seconds: number;
  readonly historyEvents: number;
  readonly runs: number;
  readonly peakMiB: number;
}

const stack = await startTestStack({ processes: 'all' });
const astra = createAstra({ apiUrl: stack.connection.apiUrl, token: stack.connection.token });
const temporal = new Client({ connection: await Connection.connect({ address: stack.connection.temporalAddress }) });

/** Resident memory of the worker, sampled while `work` runs. */
async function withPeakMemory<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly peakMiB: number }> {
  let peakKiB = 0;
  const sample = async (): Promise<void> => {
    const status = await readFile(`/proc/${stack.connection.processes.worker}/status`, 'utf8').catch(() => '');
    peakKiB = Math.max(peakKiB, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0));
  };
  const timer = setInterval(() => void sample(), 200);
  try {
    return { result: await work(), peakMiB: Math.round(peakKiB / 1024) };
  } finally {
    clearInterval(timer);
  }
}

/** Events of the goal's own histories; those of its shards are apart. */
async function historyOf(goalId: GoalId): Promise<Pick<Figure, 'historyEvents' | 'runs'>> {
  let historyEvents = 0;
  let runs = 0;
  const query = `WorkflowId = '${goalWorkflowId(goalId)}'`;
  for await (const { workflowId, runId } of temporal.workflow.list({ query })) {
    historyEvents += (await temporal.workflow.getHandle(workflowId, runId).describe()).historyLength;
    runs += 1;
  }
  return { historyEvents, runs };
}

async function measure(name: string, submission: GoalSubmission): Promise<Figure> {
  const begin = performance.now();
  let seconds = 0;
  const { result: goalId, peakMiB } = await withPeakMemory(async () => {
    const submitted = await astra.goals.submit(submission);
    const result = await astra.goals.result(submitted.id, { timeoutMs: 900_000 });
    seconds = (performance.now() - begin) / 1_000;
    // The record tells the end a moment before the execution is closed.
    await temporal.workflow.getHandle(goalWorkflowId(submitted.id)).result();
    if (result.status !== 'completed')
      throw new Error(`${name} ended ${result.status}: ${JSON.stringify(result.error)}`);
    return submitted.id;
  });
  const figure = { name, seconds, peakMiB, ...(await historyOf(goalId)) };
  console.log(JSON.stringify(figure));
  return figure;
}

async function makeArtifact(): Promise<string> {
  const { id } = await astra.goals.submit({
    objective: 'an artifact to read',
    plan: {
      tasks: [
        { id: 'w', kind: 'tool', tool: 'artifact.write', input: { name: 'x.txt', mediaType: 'text/plain', text: 'x' } },
      ],
      output: '{{ tasks.w.output.artifact.id }}',
    },
  });
  const result = await astra.goals.result(id, { timeoutMs: 60_000 });
  if (result.status !== 'completed') throw new Error(`no artifact could be written: ${JSON.stringify(result.error)}`);
  if (typeof result.output !== 'string') throw new Error('the goal has no artifact id as its output');
  return result.output;
}

try {
  const artifactId = await makeArtifact();
  const figures = [
    await measure('1,000 pure tasks in 10 layers', layered(pureTask)),
    await measure('1,000 tasks with effects in 10 layers', layered(effectTask(artifactId))),
    await measure('map of 10,000 pure items', wideMap(10_000, 'inline')),
    await measure('map of 10,000 items with effects', wideMap(10_000, { artifactId })),
    await measure('5,000 pure tasks in sequence', chain(5_000, pureTask)),
    await measure('5,000 tasks with effects in sequence', chain(5_000, effectTask(artifactId))),
  ];
  await writeFigures(figures);
} finally {
  await temporal.connection.close();
  await stack.stop();
}

async function writeFigures(figures: readonly Figure[]): Promise<void> {
  const file = join(import.meta.dirname, '../../docs/reference/limits.md');
  const begin = '<!-- measured: begin -->';
  const end = '<!-- measured: end -->';
  const text = await readFile(file, 'utf8');
  const machine = `${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const rows = figures.map(
    ({ name, seconds, historyEvents, runs, peakMiB }) =>
      `| ${name} | ${seconds.toFixed(1)} | ${historyEvents.toLocaleString('en')} in ${runs} | ${peakMiB} |`,
  );
  const table = [
    begin,
    '',
    `Measured ${new Date().toISOString().slice(0, 10)} on the local stack (${machine}), everything on one machine.`,
    '',
    '| goal | seconds | history events, runs | worker memory at its peak, MiB |',
    '|---|---|---|---|',
    ...rows,
    '',
    end,
  ].join('\n');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no place for measured figures`);
  await writeFile(file, text.slice(0, from) + table + text.slice(to + end.length));
}
