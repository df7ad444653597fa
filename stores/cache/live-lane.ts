import type { Redis } from 'ioredis';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { keys } from './keys.ts';
import { createLivePublisher, type LiveChunk } from './live-publisher.ts';
import { createWakeChannel, type Wake, type WakeChannel } from './wake-channel.ts';

export type { LiveChunk, Wake };

/** A chunk as read back. `liveId` orders the lane, `at` is RFC 3339. */
export interface LiveFrame extends LiveChunk {
  readonly liveId: string;
  readonly at: string;
}

/**
 * The lane for what may be lost: output and logs of running tasks, in one capped Redis stream a goal. Beside it the
 * wake-ups that both lanes share.
 */
export interface LiveLane extends WakeChannel {
  /** Fire and forget. */
  publish(goal: GoalRef, chunk: LiveChunk): void;
  /** Frames after the given one (null: all that are kept), oldest first. Empty while Redis is away. */
  read(goal: GoalRef, options: { readonly afterLiveId: string | null; readonly limit: number }): Promise<LiveFrame[]>;
  /** The last frame's id, to begin after what is there already; null when the lane is empty or Redis is away. */
  lastId(goal: GoalRef): Promise<string | null>;
  /** Sends what is still buffered and closes the subscriber; the connection given stays open. */
  shutdown(): Promise<void>;
}

export const liveIdPattern = /^\d{1,20}-\d{1,20}$/;

export function createLiveLane(redis: Redis): LiveLane {
  const publisher = createLivePublisher(redis);
  const wakes = createWakeChannel(redis);

  return {
    ...wakes,
    publish: publisher.publish,

    async read(goal, { afterLiveId, limit }) {
      if (redis.status !== 'ready') return [];
      const from = afterLiveId === null ? '-' : `(${afterLiveId}`;
      const entries = await redis
        .xrange(keys.live(goal), from, '+', 'COUNT', limit)
        .catch((): [string, string[]][] => []);
      return entries.map(toFrame);
    },

    async lastId(goal) {
      if (redis.status !== 'ready') return null;
      const entries = await redis
        .xrevrange(keys.live(goal), '+', '-', 'COUNT', 1)
        .catch((): [string, string[]][] => []);
      return entries[0]?.[0] ?? null;
    },

    async shutdown() {
      await publisher.flush();
      wakes.close();
    },
  };
}

function toFrame([liveId, fields]: readonly [string, readonly string[]]): LiveFrame {
  // The publisher wrote these fields, in this order.
  const [, taskId = '', , attempt = '', , stream = 'log', , text = ''] = fields;
  return {
    liveId,
    // The first half of a stream entry's id is the milliseconds of its writing.
    at: new Date(Number(liveId.split('-')[0])).toISOString(),
    taskId,
    attempt: Number(attempt),
    // One of its type's.
    stream: stream as LiveChunk['stream'],
    text,
  };
}
