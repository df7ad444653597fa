import { workerData } from 'node:worker_threads';
import { AstraError } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { createCodeJavascript } from './code-javascript.ts';
import { Deferral } from './deferral.ts';
import type { Tool, ToolArtifacts } from './define-tool.ts';
import { toThrown, type InlineJob, type ThreadResult } from './inline-job.ts';
import { loadQuickJs } from './run-javascript.ts';
import { loadToolModules } from './load-tool-modules.ts';
import { textRender } from './text-render.ts';

/** One call at a time runs on a thread, so its slice may stand here. */
let currentSliceMs = 0;

/**
 * By the thread's processor time, for on a busy machine a call must not lose its slice by waiting for a core; but at
 * most five times as long by the clock on the wall, for others wait for the thread.
 */
function startClock(): () => boolean {
  const endMicros = processorMicros() + currentSliceMs * 1_000;
  const endMs = performance.now() + currentSliceMs * 5;
  return () => processorMicros() > endMicros || performance.now() > endMs;
}
const processorMicros = (): number => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};

// createInlinePool sets it.
const { toolModules } = workerData as { readonly toolModules: readonly string[] };
await loadQuickJs();
const loaded = [createCodeJavascript(startClock), textRender, ...(await loadToolModules(toolModules))];
const tools = new Map(loaded.map((tool) => [tool.manifest.name, tool]));

const needsStores = async (): Promise<never> => {
  throw new Deferral('needs_stores');
};
const artifacts: ToolArtifacts = { write: needsStores, read: needsStores };

/** What a thread of the pool does. The answers stand in the order of the inputs. */
export async function runInlineJob(job: InlineJob): Promise<ThreadResult[]> {
  const tool = tools.get(job.tool);
  if (!tool) {
    const error = new AstraError('ASTRA_INTERNAL', `The tool ${job.tool} is not known to the thread pool.`);
    return job.inputs.map(() => ({ thrown: toThrown(error) }));
  }
  const cursor = new Int32Array(job.cursor);
  const end = performance.now() + job.budgetMs;
  const results: ThreadResult[] = [];
  for (const [index, input] of job.inputs.entries()) {
    if (performance.now() > end) {
      results.push({ deferred: 'not_reached' });
      continue;
    }
    Atomics.store(cursor, 0, index + 1);
    results.push(await runCall(tool, input, job));
  }
  Atomics.store(cursor, 0, 0);
  return results;
}

async function runCall(tool: Tool, input: JsonObject, { identity, sliceMs }: InlineJob): Promise<ThreadResult> {
  currentSliceMs = sliceMs;
  const slice = new AbortController();
  // For calls that wait; one that computes is ended by its clock or, failing that, by the pool.
  const timer = setTimeout(() => slice.abort(), sliceMs);
  const overrun = new Promise<never>((_, reject) => {
    slice.signal.addEventListener('abort', () => reject(new Deferral('overrun')));
  });
  try {
    const context = {
      ...identity,
      signal: slice.signal,
      progress: () => undefined,
      reportUsage: () => undefined,
      artifacts,
    };
    return { output: await Promise.race([tool.run(input, context), overrun]) };
  } catch (error) {
    if (error instanceof Deferral) return { deferred: error.reason };
    if (error instanceof AstraError) return { thrown: toThrown(error) };
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
