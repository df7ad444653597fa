import type { GoalRef } from '../../domain/goal-ref.ts';
import type { LiveLane } from '../../stores/cache/live-lane.ts';
import type { PageReader } from './read-lanes.ts';
import { heartbeatFrame, retryFrame, type StreamPosition } from './sse-frame.ts';
import { watchGoal } from './watch-goal.ts';

export interface GoalFramesDeps {
  readonly lane: Pick<LiveLane, 'watch' | 'connected' | 'lastId'>;
  /** One for all streams of the process. */
  readonly readPage: PageReader;
}

/**
 * Both lanes of a goal as one stream of SSE text, from `after` (null: from the beginning) to the goal's last event.
 *
 * 1. Durable events come each once and in the order of `seq`, whatever happens to Redis or to the wake-ups: the stream
 *    reads what follows its position, and a wake-up only says when.
 * 2. Live frames are put between the durable events by time. A reader that resumes at a durable frame goes on with the
 *    live frames of now: which of the older ones it had is not known.
 * 3. Nothing is read ahead of the reader: the generator stands still until it is asked for more.
 */
export async function* goalFrames(
  deps: GoalFramesDeps,
  goal: GoalRef,
  options: {
    readonly after: StreamPosition | null;
    readonly signal: AbortSignal;
    /** Of a goal that has ended: what came after its end tells of no end. */
    readonly lastSeq?: number;
    readonly heartbeatMs?: number;
  },
): AsyncGenerator<string, void, undefined> {
  const { after, signal, lastSeq = Infinity, heartbeatMs = 15_000 } = options;
  // Before the first read: what is committed between the two wakes it.
  const watch = watchGoal(deps.lane, goal, { signal });
  let silentSince = Date.now();
  try {
    let position = await startOf(deps.lane, goal, after);
    yield retryFrame;
    let durable = true;
    while (!signal.aborted) {
      const page = await deps.readPage(goal, position, { durable });
      position = page.position;
      const silentMs = Date.now() - silentSince;
      const text = page.text === '' && silentMs >= heartbeatMs ? heartbeatFrame : page.text;
      if (text !== '') {
        yield text;
        silentSince = Date.now();
      }
      if (page.next === 'end' || position.seq >= lastSeq) return;
      if (page.next === 'more') continue;
      const wakes = await watch.next(Math.max(1, silentSince + heartbeatMs - Date.now()));
      durable = wakes.has('event') || wakes.has('lost');
    }
  } finally {
    watch.close();
  }
}

async function startOf(
  lane: Pick<LiveLane, 'lastId'>,
  goal: GoalRef,
  after: StreamPosition | null,
): Promise<StreamPosition> {
  if (after === null) return { seq: 0, liveId: null };
  return after.liveId === null ? { ...after, liveId: await lane.lastId(goal) } : after;
}
