import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Execution } from '../../support/chaos/counting-tools.ts';
import { until } from '../../support/until.ts';
import { goals, tasksOfGoal } from './work.ts';

/** Something that runs the diamonds on a worker process that can be killed. */
export interface Subject {
  /** Resolves when all diamonds are started. @returns ends when the last one has */
  start(file: string): Promise<{ readonly finished: Promise<void> }>;
  /** kill -9 and a new start at once. @returns resolves when the new worker takes work */
  replaceWorker(): Promise<void>;
  /** Executions that began when a record of their effect's end was there already. */
  afterRecord(executions: readonly Execution[]): Promise<number>;
}

export interface Recovery {
  readonly seconds: number;
  readonly upSeconds: number;
  /** Executions beyond one a task: those that the kill cut off. */
  readonly again: number;
  readonly afterRecord: number;
}

/** Kills the worker when `executions` have begun and waits for the last goal's end. */
export async function measureRecovery(subject: Subject, executions: number): Promise<Recovery> {
  const directory = await mkdtemp(join(tmpdir(), 'astra-recovery-'));
  const file = join(directory, 'executions.ndjson');
  try {
    const { finished } = await subject.start(file);
    await until(async () => (await readExecutions(file)).length >= executions, `${executions} tasks run`);
    const killedAt = performance.now();
    const seconds = (): number => (performance.now() - killedAt) / 1_000;
    const [upSeconds, all] = await Promise.all([subject.replaceWorker().then(seconds), finished.then(seconds)]);
    const ran = await readExecutions(file);
    const again = ran.length - goals * tasksOfGoal;
    return { seconds: all, upSeconds, again, afterRecord: await subject.afterRecord(ran) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function readExecutions(file: string): Promise<Execution[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  // The tool wrote them.
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Execution]));
}
