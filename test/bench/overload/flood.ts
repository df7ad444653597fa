import { Pool } from 'undici';
import { serveBench } from '../submit/bench-child.ts';
import { runClosedLoop } from '../submit/closed-loop.ts';
import { runOpenLoop } from '../submit/open-loop.ts';
import { submission } from '../submit/submission.ts';

/** Load on a whole Astra, from a process of its own. */
export type LoadRequest =
  /** So many goals at once, each submitted when one before it has ended. */
  | { readonly kind: 'sustain'; readonly concurrency: number; readonly seconds: number }
  /** Submissions at random times, whatever becomes of those before, and reads of accepted goals. */
  | {
      readonly kind: 'flood';
      readonly perSecond: number;
      readonly readsPerSecond: number;
      readonly seconds: number;
    };

export interface LoadAnswer {
  readonly acceptedIds: readonly string[];
  /** From when a submission was due to its 202. */
  readonly acceptedMs: readonly number[];
  readonly refusedMs: readonly number[];
  /** What the refusals said. */
  readonly retryAfterSeconds: readonly number[];
  readonly readMs: readonly number[];
  /** Answers that are neither an acceptance, a refusal with Retry-After, nor a read goal. */
  readonly unexpected: readonly string[];
}

const authorization = `Bearer ${process.env.BENCH_TOKEN ?? ''}`;
const body = JSON.stringify(submission);
const pool = new Pool(process.env.BENCH_API_URL ?? '', { connections: 256, pipelining: 1 });

const createTally = () => ({
  acceptedIds: [] as string[],
  acceptedMs: [] as number[],
  refusedMs: [] as number[],
  retryAfterSeconds: [] as number[],
  readMs: [] as number[],
  unexpected: [] as string[],
});
type Tally = ReturnType<typeof createTally>;

async function submit(tally: Tally, dueAt: number): Promise<string | null> {
  const headers = { authorization, 'content-type': 'application/json' };
  const answer = await pool.request({ method: 'POST', path: '/v1/goals', headers, body });
  const text = await answer.body.text();
  const retryAfter = Number(answer.headers['retry-after']);
  const tookMs = performance.now() - dueAt;
  if (answer.statusCode === 202) {
    const { id } = JSON.parse(text) as { readonly id: string }; // what the API writes
    tally.acceptedIds.push(id);
    tally.acceptedMs.push(tookMs);
    return id;
  }
  if (answer.statusCode === 429 && retryAfter >= 1 && retryAfter <= 60) {
    tally.refusedMs.push(tookMs);
    tally.retryAfterSeconds.push(retryAfter);
  } else tally.unexpected.push(`${answer.statusCode} ${text}`);
  return null;
}

async function read(tally: Tally, dueAt: number): Promise<void> {
  const id = tally.acceptedIds[Math.floor(Math.random() * tally.acceptedIds.length)];
  if (id === undefined) return;
  const answer = await pool.request({ method: 'GET', path: `/v1/goals/${id}`, headers: { authorization } });
  const text = await answer.body.text();
  if (answer.statusCode === 200) tally.readMs.push(performance.now() - dueAt);
  else tally.unexpected.push(`${answer.statusCode} ${text}`);
}

async function awaitEnd(id: string): Promise<void> {
  const path = `/v1/goals/${id}/result?wait=30s`;
  const answer = await pool.request({ method: 'GET', path, headers: { authorization } });
  await answer.body.dump();
}

serveBench(async (request: LoadRequest): Promise<LoadAnswer> => {
  const tally = createTally();
  if (request.kind === 'sustain') {
    await runClosedLoop(async () => {
      const id = await submit(tally, performance.now());
      if (id !== null) await awaitEnd(id);
    }, request);
  } else {
    const { perSecond, readsPerSecond, seconds } = request;
    await Promise.all([
      runOpenLoop((dueAt) => submit(tally, dueAt), { perSecond, seconds }),
      runOpenLoop((dueAt) => read(tally, dueAt), { perSecond: readsPerSecond, seconds }),
    ]);
  }
  return tally;
});
