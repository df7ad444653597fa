import { followEvents, hasEnded } from './follow-events.ts';
import { isTransient, sleep } from './retry.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, GoalView, GraphView, TaskProgress } from './types.ts';

export interface GoalSnapshot {
  readonly type: 'snapshot';
  readonly goal: GoalView;
  /** Null until there is a plan. */
  readonly graph: GraphView | null;
}

/** Least time between two snapshots. */
const intervalMs = 200;
/** After a snapshot could not be read. */
const retryMs = 1_000;
/** Reading a large graph takes longer: then it is read less often, so that a watcher costs the server at most this share. */
const readingShare = 1 / 4;

/** A promise that may be left behind: whoever awaits it still hears of its failure, the runtime does not. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function readSnapshot(
  transport: Transport,
  goalId: string,
  minSeq: number,
  signal: AbortSignal,
): Promise<GoalSnapshot> {
  const path = `v1/goals/${encodeURIComponent(goalId)}`;
  const { body: goal } = await transport.json<GoalView>(path, { query: minSeq > 0 ? { minSeq } : {}, signal });
  if (!goal.plan) return { type: 'snapshot', goal, graph: null };
  for (let tries = 1; ; tries += 1) {
    const { body: graph } = await transport.json<GraphView>(`${path}/graph`, { signal });
    // No later snapshot makes good for a last one with a graph from before the end.
    if (!hasEnded(goal) || graph.seq >= goal.seq || tries === 5) return { type: 'snapshot', goal, graph };
    await sleep(intervalMs, signal);
  }
}

/** When to read next; asked for twice, it is done once. */
function createRefresh(signal: AbortSignal) {
  let due: Promise<'refresh'> | null = null;
  const after = async (delayMs: number) => {
    await sleep(delayMs, signal);
    due = null;
    return 'refresh' as const;
  };
  return {
    due: () => (due ? [due] : []),
    schedule: (delayMs: number): void => {
      due ??= handled(after(delayMs));
    },
  };
}

/**
 * The goal as it changes: a snapshot at once, another soon after events came in (many events, one snapshot), and the
 * live lane in between. Ends with the snapshot of the goal's end.
 */
export async function* watchGoal(
  transport: Transport,
  goalId: string,
  options: CallOptions,
): AsyncGenerator<GoalSnapshot | TaskProgress, void, undefined> {
  // Leaving the loop must end the event stream, though a read of it is under way.
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;

  const first = await readSnapshot(transport, goalId, 0, signal);
  yield first;
  if (hasEnded(first.goal)) return;

  const events = followEvents(transport, goalId, { fromSeq: first.goal.seq + 1, live: true, signal });
  const refresh = createRefresh(signal);
  let nextEvent = handled(events.next());
  let readMs = 0;
  let seq = first.goal.seq;
  try {
    for (;;) {
      const happened = await Promise.race([...refresh.due(), nextEvent]);
      if (happened !== 'refresh' && !happened.done) {
        nextEvent = handled(events.next());
        if (happened.value.type === 'task.progress') yield happened.value;
        else {
          ({ seq } = happened.value);
          refresh.schedule(Math.max(intervalMs, readMs / readingShare));
        }
        continue;
      }
      const startedAt = Date.now();
      try {
        const snapshot = await readSnapshot(transport, goalId, seq, signal);
        readMs = Date.now() - startedAt;
        yield snapshot;
        if (happened !== 'refresh' || hasEnded(snapshot.goal)) return;
      } catch (error) {
        // While the API is away the event stream decides when to give up.
        if (happened !== 'refresh' || !isTransient(error)) throw error;
        refresh.schedule(retryMs);
      }
    }
  } finally {
    stop.abort();
  }
}
