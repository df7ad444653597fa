import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { serveBench } from './bench-child.ts';
import { runClosedLoop, type LoopResult } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';
import { submission } from './submission.ts';

/** Submissions through HTTP, from a process of its own. */
export interface HttpRequest {
  /** Connections. */
  readonly concurrency: number;
  readonly seconds: number;
  /** Each with an idempotency key? */
  readonly keyed: boolean;
  /** Arrivals that wait for nobody; unset: each connection submits again as soon as it is answered. */
  readonly perSecond?: number;
  /** Reads each goal right after its 202. */
  readonly readBack?: boolean;
}
export interface HttpAnswer extends LoopResult {
  /** Goals that a read right after their 202 did not show. */
  readonly unreadable: number;
}

const origin = process.env.BENCH_API_URL ?? '';
const authorization = `Bearer ${process.env.BENCH_TOKEN ?? ''}`;
const body = JSON.stringify(submission);

/** @throws an Error for any answer but 202 */
async function submit(pool: Pool, keyed: boolean): Promise<string> {
  const common = { authorization, 'content-type': 'application/json' };
  const headers = keyed ? { ...common, 'idempotency-key': randomUUID() } : common;
  const answer = await pool.request({ method: 'POST', path: '/v1/goals', headers, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`answered ${answer.statusCode}: ${text}`);
  return new URL(String(answer.headers.location)).pathname;
}

async function isReadable(pool: Pool, path: string): Promise<boolean> {
  const answer = await pool.request({ method: 'GET', path, headers: { authorization } });
  // What the API writes.
  const { id, status } = (await answer.body.json()) as { readonly id?: string; readonly status?: string };
  return answer.statusCode === 200 && id !== undefined && path.endsWith(id) && status === 'accepted';
}

serveBench(async (request: HttpRequest): Promise<HttpAnswer> => {
  const { concurrency, keyed, perSecond, seconds, readBack = false } = request;
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  let unreadable = 0;
  const call = async (): Promise<void> => {
    const path = await submit(pool, keyed);
    if (readBack && !(await isReadable(pool, path))) unreadable += 1;
  };
  const result =
    perSecond === undefined ? await runClosedLoop(call, request) : await runOpenLoop(call, { perSecond, seconds });
  await pool.close();
  return { ...result, unreadable };
});
