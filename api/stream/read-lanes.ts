import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import type { LiveFrame, LiveLane } from '../../stores/cache/live-lane.ts';
import type { GoalReader } from '../../stores/goal-reader.ts';
import { eventFrame, progressFrame, type StreamPosition } from './sse-frame.ts';

const pageSize = 100;
const terminalTypes = new Set<GoalEvent['type']>(['goal.completed', 'goal.failed', 'goal.cancelled']);

export interface LaneDeps {
  readonly reader: Pick<GoalReader, 'events'>;
  readonly lane: Pick<LiveLane, 'read' | 'lastId'>;
}
export interface LanePage {
  /** SSE frames; empty when there is nothing new. */
  readonly text: string;
  /** Is there more to read at once, is that all for now, or for ever? */
  readonly next: 'more' | 'wait' | 'end';
}

/** Reads both lanes of a goal from `after` (null: the beginning) on, a page at each call. */
export async function createLaneReader({ reader, lane }: LaneDeps, goal: GoalRef, after: StreamPosition | null) {
  let seq = after?.seq ?? 0;
  let liveId = after?.liveId ?? null;
  if (after?.liveId === null) liveId = await lane.lastId(goal);

  return async (options: { readonly durable: boolean }): Promise<LanePage> => {
    const events = options.durable ? await readEvents(reader, goal, seq) : [];
    const caughtUp = events.length < pageSize;
    // While it catches up, progress of long ago is not worth its place.
    const frames = caughtUp ? await lane.read(goal, { afterLiveId: liveId, limit: pageSize }) : [];
    const text = mergeByTime(events, frames, seq, goal);
    seq = events.at(-1)?.seq ?? seq;
    liveId = frames.at(-1)?.liveId ?? liveId;
    if (events.some(({ type }) => terminalTypes.has(type))) return { text, next: 'end' };
    return { text, next: caughtUp && frames.length < pageSize ? 'wait' : 'more' };
  };
}

/** While the database is away a stream stays open; the next look finds what it missed. */
async function readEvents(
  reader: Pick<GoalReader, 'events'>,
  goal: GoalRef,
  afterSeq: number,
): Promise<readonly GoalEvent[]> {
  try {
    return await reader.events(goal.tenant, goal.goalId, { afterSeq, limit: pageSize });
  } catch {
    return [];
  }
}

function mergeByTime(
  events: readonly GoalEvent[],
  frames: readonly LiveFrame[],
  afterSeq: number,
  goal: GoalRef,
): string {
  let text = '';
  let seq = afterSeq;
  let next = 0;
  const framesUntil = (at: string | null): void => {
    for (let frame = frames[next]; frame && (at === null || frame.at <= at); frame = frames[next]) {
      text += progressFrame(goal.goalId, seq, frame);
      next += 1;
    }
  };
  for (const event of events) {
    framesUntil(terminalTypes.has(event.type) ? null : event.at);
    text += eventFrame(event);
    seq = event.seq;
  }
  framesUntil(null);
  return text;
}
