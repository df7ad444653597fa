import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { AstraError } from '../../domain/errors.ts';
import type { Commit } from './committer.ts';
import type { RecordRequest } from './record-request.ts';

/** A commit takes no longer than a statement may, and its parameters no more memory than this. */
const maxCommit = { events: 2_000, bytes: 4 * 1024 * 1024 };
/** Beyond that the producers are told to wait: Postgres is slower than the work. */
const maxQueued = { events: 50_000, bytes: 64 * 1024 * 1024 };

/** A commit of so many requests says that more are on their way: the next one waits a moment for them. */
const busyRequests = 8;
const busyPauseMs = 4;

/** Group commit: what arrives while one commit is under way goes together into the next. */
export interface CommitQueue {
  /** @throws ASTRA_UNAVAILABLE when too much waits already */
  push(requests: readonly RecordRequest[]): void;
  /** Is there room for what is dispensable? */
  readonly isBusy: boolean;
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>;
}

export function createCommitQueue(commit: Commit): CommitQueue {
  let waiting: RecordRequest[] = [];
  let queued = { events: 0, bytes: 0 };
  let running: Promise<void> | null = null;
  let busy = false;

  function take(): RecordRequest[] {
    let events = 0;
    let bytes = 0;
    const end = waiting.findIndex((request, index) => {
      events += request.drafts.length;
      bytes += request.sizeBytes;
      return index > 0 && (events > maxCommit.events || bytes > maxCommit.bytes);
    });
    const batch = end < 0 ? waiting : waiting.slice(0, end);
    waiting = end < 0 ? [] : waiting.slice(end);
    count(batch, -1);
    return batch;
  }

  function count(requests: readonly RecordRequest[], sign: 1 | -1): void {
    for (const { drafts, sizeBytes } of requests) {
      queued = { events: queued.events + sign * drafts.length, bytes: queued.bytes + sign * sizeBytes };
    }
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      // What comes in with the same turn of the event loop is committed together, and while much comes in, more.
      await (busy ? sleep(busyPauseMs) : setImmediate());
      const batch = take();
      busy = batch.length >= busyRequests;
      const again = await commit(batch);
      count(again, 1);
      waiting = [...again, ...waiting];
    }
    running = null;
  }

  return {
    push(requests) {
      if (queued.events > maxQueued.events || queued.bytes > maxQueued.bytes) {
        const message = 'More is to be recorded than Postgres takes. Try again shortly.';
        throw new AstraError('ASTRA_UNAVAILABLE', message, { retryAfterSeconds: 1 });
      }
      waiting.push(...requests);
      count(requests, 1);
      running ??= run();
    },
    get isBusy() {
      return queued.events > maxQueued.events / 2;
    },
    async drained() {
      while (running) await running;
    },
  };
}
