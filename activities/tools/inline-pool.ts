import { Piscina } from 'piscina';
import { AstraError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { abortError } from './abort-error.ts';
import type { DeferralReason } from './deferral.ts';
import { fromThrown, type CallIdentity, type InlineJob, type ThreadResult } from './inline-job.ts';

export type InlineAnswer = { readonly output: Json } | { readonly deferred: DeferralReason };
export type InlineResult = InlineAnswer | { readonly error: AstraError };

export interface InlineRunOptions {
  /** Running time of one call; 100 unless given. A call that may have more than a second runs on threads of its own kind. */
  readonly sliceMs?: number;
  readonly identity?: CallIdentity;
  /** Ends the call by ending its thread: for long slices. */
  readonly signal?: AbortSignal;
}
export interface InlineRunManyOptions extends InlineRunOptions {
  /** Running time of the batch on each thread; 500 unless given. Calls not begun by then are deferred as `not_reached`. */
  readonly budgetMs?: number;
}

/** Threads for inline tools, so that a script that never ends stalls nobody. Every answer has been checked by its tool. */
export interface InlinePool {
  /** @throws what the tool throws */
  run(tool: string, input: JsonObject, options?: InlineRunOptions): Promise<InlineAnswer>;
  /** One result for each input, in their order, in one message a thread. Batches of 32 and more are shared by the threads. */
  runMany(tool: string, inputs: readonly JsonObject[], options?: InlineRunManyOptions): Promise<InlineResult[]>;
  close(): Promise<void>;
}
export interface InlinePoolOptions {
  readonly threads: number;
  readonly toolModules: readonly string[];
}
type Threads = Piscina<InlineJob, ThreadResult[]>;

const nobody: CallIdentity = { tenant: '', goalId: '', taskId: '', attempt: 1, effectId: '' };
const defaultSliceMs = 100;
const defaultBudgetMs = 500;
/** Beyond the slice, before a thread is ended: scripts count processor time, and only between QuickJS' own operations. */
const graceMs = 2_000;
const watchEveryMs = 50;
const longestQuickSliceMs = 1_000;
const smallestShare = 16;
/** Threads that a batch may ruin before the rest of it is given back. Starting one takes about 150 ms (2 cores). */
const mostDeaths = 3;
const idleTimeoutMs = 30_000;

/**
 * `threads` for quick calls, and as many more, started when there is need, for calls with long slices: those must not
 * keep segments waiting.
 */
export function createInlinePool({ threads, toolModules }: InlinePoolOptions): InlinePool {
  const quick = startThreads({ min: threads, max: threads, toolModules });
  const slow = startThreads({ min: 0, max: threads, toolModules });
  const lane = ({ sliceMs = defaultSliceMs }: InlineRunOptions): Threads =>
    sliceMs > longestQuickSliceMs ? slow : quick;
  return {
    async run(tool, input, options = {}) {
      const [result] = await runBatch(lane(options), tool, [input], { ...options, budgetMs: Infinity });
      if (!result) throw new AstraError('ASTRA_INTERNAL', 'A thread answered nothing.');
      if ('error' in result) throw result.error;
      return result;
    },
    async runMany(tool, inputs, options = {}) {
      const shares = Math.max(1, Math.min(threads, Math.floor(inputs.length / smallestShare)));
      const size = Math.ceil(inputs.length / shares);
      const parts = Array.from({ length: shares }, (_, index) => inputs.slice(index * size, (index + 1) * size));
      return (await Promise.all(parts.map((part) => runBatch(lane(options), tool, part, options)))).flat();
    },
    async close() {
      await Promise.all([quick.destroy(), slow.destroy()]);
    },
  };
}

function startThreads({
  min,
  max,
  toolModules,
}: {
  min: number;
  max: number;
  toolModules: readonly string[];
}): Threads {
  return new Piscina({
    filename: new URL('./inline-thread.ts', import.meta.url).href,
    name: 'runInlineJob',
    workerData: { toolModules },
    minThreads: min,
    maxThreads: max,
    idleTimeout: idleTimeoutMs,
    // A tool sees nothing of the worker's secrets.
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 256 },
  });
}

/** A call that hangs or kills its thread takes the batch's other answers with it; pure as they are, they run again. */
async function runBatch(
  threads: Threads,
  tool: string,
  inputs: readonly JsonObject[],
  options: InlineRunManyOptions,
): Promise<InlineResult[]> {
  const results: InlineResult[] = inputs.map(() => ({ deferred: 'not_reached' }));
  let left = inputs.map((input, index) => ({ input, index }));
  for (let deaths = 0; left.length > 0 && deaths < mostDeaths; deaths += 1) {
    const job = {
      tool,
      inputs: left.map(({ input }) => input),
      identity: options.identity ?? nobody,
      sliceMs: options.sliceMs ?? defaultSliceMs,
      budgetMs: options.budgetMs ?? defaultBudgetMs,
      cursor: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
    };
    const ended = await runJob(threads, job, options.signal);
    if ('results' in ended) {
      for (const [position, { index }] of left.entries()) results[index] = toResult(ended.results[position]);
      return results;
    }
    const culprit = left[ended.at];
    if (culprit) results[culprit.index] = ended.result;
    left = left.filter((call) => call !== culprit);
  }
  return results;
}

type Ended = { readonly results: readonly ThreadResult[] } | { readonly at: number; readonly result: InlineResult };

async function runJob(threads: Threads, job: InlineJob, signal: AbortSignal | undefined): Promise<Ended> {
  if (signal?.aborted) throw abortError(signal);
  const cursor = new Int32Array(job.cursor);
  const watch = watchForHang(cursor, job.sliceMs + graceMs);
  try {
    // Piscina ends the thread of a running job whose signal aborts.
    const ends = signal ? AbortSignal.any([watch.signal, signal]) : watch.signal;
    return { results: await threads.run(job, { signal: ends }) };
  } catch (error) {
    if (signal?.aborted) throw abortError(signal, { cause: error });
    const at = Atomics.load(cursor, 0) - 1;
    if (at < 0) throw error;
    if (watch.signal.aborted) return { at, result: { deferred: 'overrun' } };
    const reason = error instanceof Error ? error.message : String(error);
    return { at, result: { error: new AstraError('ASTRA_TOOL_FAILED', `${job.tool} ended its thread: ${reason}`) } };
  } finally {
    watch.stop();
  }
}

/** By this side's clock and only from when a call was first seen to run: waiting for a thread does not count. */
function watchForHang(cursor: Int32Array, longestMs: number): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
  let running = 0;
  let since = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    const at = Atomics.load(cursor, 0);
    if (at !== running) [running, since] = [at, now];
    else if (at > 0 && now - since > longestMs) controller.abort();
  }, watchEveryMs);
  return { signal: controller.signal, stop: () => clearInterval(timer) };
}

function toResult(result: ThreadResult | undefined): InlineResult {
  if (!result) return { deferred: 'not_reached' };
  return 'thrown' in result ? { error: fromThrown(result.thrown) } : result;
}
