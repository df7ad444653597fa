import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Findings } from './bench.ts';
import { describeMachine } from './machine.ts';

/** A full run of one bench. */
export interface Result extends Findings {
  /** The day. */
  readonly measuredAt: string;
  readonly machine: string;
  readonly seconds: number;
}

const directory = join(import.meta.dirname, '../results');

export async function runBench(bench: Bench): Promise<Result> {
  const begun = performance.now();
  const findings = await bench.run({ quick: false, log: (line) => console.log(`  ${line}`) });
  return {
    ...findings,
    measuredAt: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    seconds: Math.round((performance.now() - begun) / 1_000),
  };
}

export async function saveResult({ name }: Bench, result: Result): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

/** Null: it was never run. */
export async function loadResult({ name }: Pick<Bench, 'name'>): Promise<Result | null> {
  try {
    // `saveResult` wrote it.
    return JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as Result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null; // what fs throws
    throw error;
  }
}
