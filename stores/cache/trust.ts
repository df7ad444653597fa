import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { keys } from './keys.ts';
import { createMissedWrites, type MissedWrite } from './missed-writes.ts';

const probeMs = 100;

/**
 * Whether what Redis holds may be believed. After a failed command or a lost connection it may not, until the writes
 * that were missed meanwhile are made up for; nor may anything after a restart of the server, which forgets its last
 * second or comes back with an old copy.
 */
export interface Trust {
  /** False: read elsewhere, and `miss` what was to be written. */
  readonly trusted: boolean;
  miss(goal: GoalRef, seq: number): void;
  /** Runs commands; a failure ends the trust and gives null. */
  attempt<T>(commands: () => Promise<T>): Promise<T | null>;
  close(): void;
}

/** @param repair makes up for a missed write */
export function createTrust(
  redis: Redis,
  repair: (missed: MissedWrite) => Promise<unknown>,
  options: { readonly logger?: Pick<Logger, 'info' | 'warn'> } = {},
): Trust {
  const missed = createMissedWrites();
  const closing = new AbortController();
  let trusted = false;
  let serverRun: string | undefined;

  function lose(error?: unknown): void {
    if (!trusted || closing.signal.aborted) return;
    trusted = false;
    options.logger?.warn({ err: error }, 'the view cache is not trusted until Redis answers again');
    void recover();
  }

  async function recover(): Promise<void> {
    while (!closing.signal.aborted) {
      if (redis.status === 'ready') await tryRepair().catch(() => undefined);
      if (trusted) return;
      await sleep(probeMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
    }
  }

  async function tryRepair(): Promise<void> {
    const run = await runId(redis);
    const restarted = serverRun !== undefined && run !== serverRun;
    if (restarted || missed.tooMany) {
      missed.forgetTooMany();
      await dropEveryGoal(redis);
    }
    if (serverRun !== undefined) options.logger?.info({ restarted }, 'Redis answers again');
    serverRun = run;
    await missed.each(repair);
    // Nothing may come between finding that no write is missed and trusting.
    trusted = missed.none && redis.status === 'ready' && !closing.signal.aborted;
  }

  redis.on('close', lose);
  void recover();

  return {
    get trusted() {
      return trusted;
    },
    miss: missed.add,
    async attempt(commands) {
      try {
        return await commands();
      } catch (error) {
        lose(error);
        return null;
      }
    },
    close() {
      closing.abort();
      redis.off('close', lose);
    },
  };
}

/** Of the server: another one for each of its starts, and for its replica. */
export const runId = async (redis: Redis): Promise<string | undefined> =>
  /run_id:(\w+)/.exec(await redis.info('server'))?.[1];

async function dropEveryGoal(redis: Redis): Promise<void> {
  for await (const found of redis.scanStream({ match: keys.everyGoal, count: 1_000 })) {
    // A scan stream gives pages of keys.
    const page = found as string[];
    if (page.length > 0) await redis.unlink(...page);
  }
}
