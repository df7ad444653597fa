import { AstraApiError } from './api-error.ts';
import { hasEnded } from './follow-events.ts';
import { sleep } from './retry.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, GoalResult, GoalStatus } from './types.ts';

export interface ResultOptions extends CallOptions {
  /** Give up waiting after this long (default: never). */
  readonly timeoutMs?: number | undefined;
}

const longPollSeconds = 30;
/** On top of what the server may wait, before the request counts as lost. */
const graceMs = 15_000;
/** Against a server, or a proxy's cache, that answers 202 at once. */
const leastPollMs = 500;

/** @throws ASTRA_TIMEOUT */
export async function waitForResult(
  transport: Transport,
  goalId: string,
  options: ResultOptions = {},
): Promise<GoalResult> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal } = options;
  const endsAt = Date.now() + timeoutMs;
  for (;;) {
    const startedAt = Date.now();
    const waitSeconds = Math.min(longPollSeconds, Math.max(1, Math.ceil((endsAt - startedAt) / 1000)));
    const { status, body } = await transport.json<GoalResult | { readonly status: GoalStatus }>(
      `v1/goals/${encodeURIComponent(goalId)}/result`,
      { query: { wait: `${waitSeconds}s` }, timeoutMs: waitSeconds * 1000 + graceMs, signal },
    );
    // 200 says that the goal has ended, and so which half of the union this is.
    if (status === 200 && hasEnded(body)) return body as GoalResult;
    if (Date.now() >= endsAt) {
      const message = `The goal ${goalId} has not ended within ${timeoutMs / 1000} s; it goes on: wait longer, watch it or cancel it`;
      throw new AstraApiError('ASTRA_TIMEOUT', message, { status: 202, retryable: true });
    }
    await sleep(Math.max(0, startedAt + leastPollMs - Date.now()), signal);
  }
}
