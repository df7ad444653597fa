import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { benches } from '../benches.ts';
import { bestOf, lossesOf, type Ratios } from './losses.ts';
import { measureRatios } from './measure-ratios.ts';

/** A bench that seems to have lost is run again: machines have bad moments, losses stay. */
const mostRuns = 3;

// `npm run bench -- --baseline` wrote it.
const baseline = JSON.parse(await readFile(join(import.meta.dirname, 'baseline.json'), 'utf8')) as Ratios;
const guarded = benches.filter(({ name }) => Object.keys(baseline).some((ratio) => ratio.startsWith(`${name}.`)));

test('there are benches to guard', () => {
  expect(guarded.length).toBeGreaterThan(0);
});

test.each(guarded)('$name has not lost 30 percent against its peers', async (bench) => {
  const runs: Ratios[] = [];
  do runs.push(await measureRatios(bench));
  while (lossesOf(baseline, bestOf(runs)).length > 0 && runs.length < mostRuns);
  expect(lossesOf(baseline, bestOf(runs))).toEqual([]);
});
