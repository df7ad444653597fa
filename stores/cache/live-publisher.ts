import type { Redis } from 'ioredis';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { keys } from './keys.ts';
import { liveWakeMessage } from './wake-channel.ts';

/** Something to watch while a task runs: a piece of its output or log. */
export interface LiveChunk {
  readonly taskId: string;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr' | 'text' | 'log';
  readonly text: string;
}

/** Entries a goal's lane keeps, roughly. */
const maxEntries = 1_000;
const retentionSeconds = 3_600;
const flushAfterMs = 50;
/** Of one stream of one task between two flushes; what comes first is left out, what comes last is what people look for. */
const maxChunkChars = 16_384;
/** Chunks of all tasks of this process between two flushes. */
const maxPendingChunks = 1_000;

interface Pending {
  readonly goal: GoalRef;
  readonly chunk: Omit<LiveChunk, 'text'>;
  text: string;
}

/** Merges small chunks and sends them in one round trip. Never waits, never fails: what cannot be sent is dropped. */
export function createLivePublisher(redis: Redis) {
  const pending = new Map<string, Pending>();
  let timer: NodeJS.Timeout | undefined;

  function publish(goal: GoalRef, { text, ...chunk }: LiveChunk): void {
    if (text === '' || redis.status !== 'ready') return;
    const key = [goal.tenant, goal.goalId, chunk.taskId, chunk.attempt, chunk.stream].join('\n');
    const waiting = pending.get(key);
    if (waiting) waiting.text = (waiting.text + text).slice(-maxChunkChars);
    else if (pending.size < maxPendingChunks) pending.set(key, { goal, chunk, text: text.slice(-maxChunkChars) });
    timer ??= setTimeout(() => void flush(), flushAfterMs);
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...pending.values()];
    pending.clear();
    if (batch.length === 0) return;
    const pipeline = redis.pipeline();
    for (const { goal, chunk, text } of batch) {
      const { taskId, attempt, stream } = chunk;
      const fields = ['taskId', taskId, 'attempt', attempt, 'stream', stream, 'text', text];
      pipeline.xadd(keys.live(goal), 'MAXLEN', '~', maxEntries, '*', ...fields);
    }
    const goals = new Map(batch.map(({ goal }) => [keys.live(goal), goal]));
    for (const [key, goal] of goals) pipeline.expire(key, retentionSeconds).publish(keys.wake(goal), liveWakeMessage);
    await pipeline.exec().catch(() => undefined);
  }

  return { publish, flush };
}

export type LivePublisher = ReturnType<typeof createLivePublisher>;
