import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { describeMachine } from './harness/machine.ts';
import { startGoalMeter, type GoalFigure } from './scale/goal-meter.ts';
import { artifactCall, chainOf, layersOf, mapOf, scriptCall } from './workloads.ts';

/**
 * `npm run bench:limits`: how large a goal may be. The goals run one after the other on a fresh local stack; the figures
 * go into docs/reference/limits.md.
 */
interface Figure extends GoalFigure {
  readonly name: string;
}

const meter = await startGoalMeter();

async function measure(name: string, submission: GoalSubmission): Promise<Figure> {
  const figure = { name, ...(await meter.measure(submission)) };
  console.log(JSON.stringify(figure));
  return figure;
}

async function makeArtifact(): Promise<string> {
  const { id } = await meter.astra.goals.submit({
    objective: 'an artifact to read',
    plan: {
      tasks: [
        { id: 'w', kind: 'tool', tool: 'artifact.write', input: { name: 'x.txt', mediaType: 'text/plain', text: 'x' } },
      ],
      output: '{{ tasks.w.output.artifact.id }}',
    },
  });
  const result = await meter.astra.goals.result(id, { timeoutMs: 60_000 });
  if (result.status !== 'completed') throw new Error(`no artifact could be written: ${JSON.stringify(result.error)}`);
  if (typeof result.output !== 'string') throw new Error('the goal has no artifact id as its output');
  return result.output;
}

try {
  const effectCall = artifactCall(await makeArtifact());
  const figures = [
    await measure('1,000 pure tasks in 10 layers', layersOf(scriptCall)),
    await measure('1,000 tasks with effects in 10 layers', layersOf(effectCall)),
    await measure('map of 10,000 pure items', mapOf(10_000, scriptCall)),
    await measure('map of 10,000 items with effects', mapOf(10_000, effectCall)),
    await measure('5,000 pure tasks in sequence', chainOf(5_000, scriptCall)),
    await measure('5,000 tasks with effects in sequence', chainOf(5_000, effectCall)),
  ];
  await writeFigures(figures);
} finally {
  await meter.stop();
}

async function writeFigures(figures: readonly Figure[]): Promise<void> {
  const file = join(import.meta.dirname, '../../docs/reference/limits.md');
  const begin = '<!-- measured: begin -->';
  const end = '<!-- measured: end -->';
  const text = await readFile(file, 'utf8');
  const rows = figures.map(
    ({ name, seconds, historyEvents, runs, peakMiB }) =>
      `| ${name} | ${seconds.toFixed(1)} | ${historyEvents.toLocaleString('en')} in ${runs} | ${peakMiB} |`,
  );
  const table = [
    begin,
    '',
    `Measured ${new Date().toISOString().slice(0, 10)} on the local stack (${describeMachine()}), everything on one machine.`,
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
