import { AstraApiError } from './api-error.ts';
import { readByteStream } from './byte-stream.ts';
import { createEventCursor, type EventCursor, type Lane } from './event-cursor.ts';
import { isTransient, retryDelayMs, sleep } from './retry.ts';
import { createSseParser, type ServerSentEvent } from './sse-parser.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, GoalEvent, GoalView, TaskProgress } from './types.ts';

export interface EventOptions extends CallOptions {
  /** First event wanted (default 1, the goal's submission). */
  readonly fromSeq?: number;
  /** Also yield `task.progress`: output of running tasks as it is written. */
  readonly live?: boolean;
  /** Give up when no connection succeeded for this long after a drop (default 120,000). */
  readonly reconnectForMs?: number;
  /** Take a connection for dead when it is silent for this long, keep-alive comments included (default 60,000). */
  readonly idleTimeoutMs?: number;
}

const finalTypes: ReadonlySet<string> = new Set(['goal.completed', 'goal.failed', 'goal.cancelled']);
const finalStatuses: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);
export const hasEnded = ({ status }: Pick<GoalView, 'status'>): boolean => finalStatuses.has(status);

const defaults = { fromSeq: 1, live: false, reconnectForMs: 120_000, idleTimeoutMs: 60_000 };

function parseFrame({ event, data }: ServerSentEvent): GoalEvent | TaskProgress {
  try {
    // The server is trusted to send what its contract says.
    const parsed = JSON.parse(data) as GoalEvent | TaskProgress;
    // The frame's name is the event's type, whether or not the data repeats it.
    return Object.assign(parsed, { type: event });
  } catch (cause) {
    throw new AstraApiError('ASTRA_INTERNAL', 'The event stream holds a frame that is not JSON', { cause });
  }
}

/** Decides when a reader that lost its connection gives up. */
function createPatience({ backOff }: Transport, reconnectForMs: number) {
  let failures = 0;
  let everConnected = false;
  let lostAt: number | null = null;
  return {
    /** The first connection is a call like any other; later ones are tried here, for longer. */
    retries: () => (everConnected ? { retries: 0 } : {}),
    connected: () => {
      everConnected = true;
      lostAt = null;
    },
    received: () => {
      failures = 0;
    },
    /** @returns how long to wait before the next connection. @throws the drop, when it has lasted too long */
    delayAfter(drop: AstraApiError | null): number {
      failures += 1;
      lostAt ??= Date.now();
      const delayMs = retryDelayMs(drop, failures, backOff) ?? Number.POSITIVE_INFINITY;
      if (drop && (!everConnected || Date.now() - lostAt + delayMs > reconnectForMs)) throw drop;
      return delayMs;
    },
  };
}

type Patience = ReturnType<typeof createPatience>;

/** The frames of one connection; ends with it. */
async function* readConnection(
  transport: Transport,
  path: string,
  options: {
    readonly cursor: EventCursor;
    readonly patience: Patience;
    readonly idleTimeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const { cursor, patience, idleTimeoutMs, signal } = options;
  const resume = cursor.resumeFrom === null ? {} : { 'last-event-id': cursor.resumeFrom };
  const headers = { accept: 'text/event-stream', ...resume };
  const response = await transport.open(`${path}/events`, { headers, signal, ...patience.retries() });
  patience.connected();
  if (!response.body) return;
  const parser = createSseParser();
  for await (const bytes of readByteStream(response.body, idleTimeoutMs)) {
    patience.received();
    yield* parser.push(bytes);
  }
}

/**
 * The goal's events until it has ended. Invariants:
 * 1. Durable events come in `seq` order, each exactly once, none left out, over any number of dropped connections.
 * 2. A drop resumes after the last frame received, by `Last-Event-ID`; live-lane frames may be lost with it.
 * 3. It returns after the goal's final event, or when there is nothing left to come.
 *
 * @throws ASTRA_CONNECTION or ASTRA_TIMEOUT when the first connection fails, or none succeeds for `reconnectForMs` after
 * a drop; the refusals of the API at once.
 */
export async function* followEvents(
  transport: Transport,
  goalId: string,
  options: EventOptions,
): AsyncGenerator<GoalEvent | TaskProgress, void, undefined> {
  const { signal, fromSeq, live, reconnectForMs, idleTimeoutMs } = { ...defaults, signal: undefined, ...options };
  const path = `v1/goals/${encodeURIComponent(goalId)}`;
  const cursor = createEventCursor(fromSeq);
  const patience = createPatience(transport, reconnectForMs);
  const wanted = new Set<Lane>(live ? ['durable', 'live'] : ['durable']);

  for (;;) {
    let drop: AstraApiError | null = null;
    try {
      for await (const frame of readConnection(transport, path, { cursor, patience, idleTimeoutMs, signal })) {
        const event = parseFrame(frame);
        if (wanted.has(cursor.accept(frame))) yield event;
        if (finalTypes.has(event.type)) return;
      }
      // The server closed in peace: at the goal's end, or because it goes down.
      const { body: goal } = await transport.json<GoalView>(path, { signal, retries: 0 });
      if (hasEnded(goal) && goal.seq <= cursor.lastSeq) return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isTransient(error)) throw error;
      drop = error;
    }
    await sleep(patience.delayAfter(drop), signal);
  }
}
