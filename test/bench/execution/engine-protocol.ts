import type { Work } from './work.ts';

/** How the work is done. `pure`, `effects` and `once` (by their tools' effect) are Astra's kinds of tasks; the others are written by hand. */
export type Engine = 'pure' | 'effects' | 'once' | 'activities' | 'local';

/** One measurement, sent to the process that runs the engine. */
export interface RunRequest {
  readonly engine: Engine;
  readonly work: Work;
  readonly goals: number;
  /** Goals under way at once. */
  readonly atOnce: number;
  /** Begin so many goals a second, however long they take, rather than `atOnce`. */
  readonly perSecond?: number;
}

export interface RunAnswer {
  readonly seconds: number;
  /** Of each goal, from its start to its result, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** Processor time of this process meanwhile. */
  readonly cpuSeconds: number;
  /** Astra's own histogram of what this run added: how many tasks began within so many seconds of being ready. */
  readonly scheduling: readonly Bucket[];
}

export interface Bucket {
  readonly atMostSeconds: number;
  readonly count: number;
}
