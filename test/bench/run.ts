import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { benches } from './benches.ts';
import { renderReport } from './harness/report.ts';
import { loadResult, runBench, saveResult } from './harness/results.ts';

/** `npm run bench`: measures, and writes what it found into docs/reference/benchmarks.md. */
const names = benches.map(({ name }) => name);
const command = new Command('npm run bench --')
  .description('Measures Astra side by side with what it stands on. Run it on a machine that does nothing else.')
  .argument('[names...]', `which benches to run, all unless given: ${names.join(', ')}`)
  .option('--report', 'only write the report anew, from the results that are kept')
  .parse();

const asked = new Set(command.args);
const unknown = [...asked].filter((name) => !names.includes(name));
if (unknown.length > 0) command.error(`There is no bench "${unknown.join('", "')}". There are: ${names.join(', ')}.`);

const chosen = command.opts<{ report?: true }>().report
  ? []
  : benches.filter(({ name }) => asked.size === 0 || asked.has(name));
for (const bench of chosen) {
  console.log(`${bench.name}: ${bench.title}`);
  const result = await runBench(bench);
  await saveResult(bench, result);
  for (const { what, target, figure, met } of result.targets)
    console.log(`${met ? '✓' : '✗'} ${what}: ${figure} (${target})`);
}
await writeReport();

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
