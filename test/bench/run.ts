import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { benches } from './benches.ts';
import type { Ratios } from './guard/losses.ts';
import { measureRatios } from './guard/measure-ratios.ts';
import { renderReport } from './harness/report.ts';
import { loadResult, runBench, saveResult } from './harness/results.ts';
import { median } from './harness/statistics.ts';

/** `npm run bench`: measures, and writes what it found into docs/reference/benchmarks.md. */
const names = benches.map(({ name }) => name);
const command = new Command('npm run bench --')
  .description('Measures Astra side by side with what it stands on. Run it on a machine that does nothing else.')
  .argument('[names...]', `which benches to run, all unless given: ${names.join(', ')}`)
  .option('--report', 'only write the report anew, from the results that are kept')
  .option('--baseline', 'only take the ratios that the regression guard compares with, of short runs')
  .parse();

const asked = new Set(command.args);
const unknown = [...asked].filter((name) => !names.includes(name));
if (unknown.length > 0) command.error(`There is no bench "${unknown.join('", "')}". There are: ${names.join(', ')}.`);

const options = command.opts<{ report?: true; baseline?: true }>();
const chosen = options.report ? [] : benches.filter(({ name }) => asked.size === 0 || asked.has(name));
if (options.baseline) await takeBaseline();
for (const bench of options.baseline ? [] : chosen) {
  console.log(`${bench.name}: ${bench.title}`);
  const result = await runBench(bench);
  await saveResult(bench, result);
  for (const { what, target, figure, met } of result.targets)
    console.log(`${met ? '✓' : '✗'} ${what}: ${figure} (${target})`);
}
await writeReport();

/** The median of three short runs of each. */
async function takeBaseline(): Promise<void> {
  const file = join(import.meta.dirname, 'guard/baseline.json');
  // This function wrote it.
  const kept = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as Ratios;
  const taken: Record<string, number> = {};
  for (const bench of chosen) {
    const runs = [await measureRatios(bench), await measureRatios(bench), await measureRatios(bench)];
    for (const name of Object.keys(runs[0] ?? {})) {
      taken[name] = Number(median(runs.map((run) => run[name] ?? Number.NaN)).toPrecision(3));
      console.log(`${name}: ${taken[name]}`);
    }
  }
  await writeFile(file, `${JSON.stringify({ ...kept, ...taken }, null, 2)}\n`);
}

async function writeReport(): Promise<void> {
  const file = join(import.meta.dirname, '../../docs/reference/benchmarks.md');
  const begin = '<!-- measured: begin -->';
  const end = '<!-- measured: end -->';
  const page = await readFile(file, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no place for measured figures`);
  const measured = await Promise.all(benches.map(async (bench) => ({ bench, result: await loadResult(bench) })));
  const text = `${page.slice(0, from + begin.length)}\n\n${renderReport(measured)}\n\n${page.slice(to)}`;
  await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}
