import { createSseParser, type ServerSentEvent } from '../../../sdk/sse-parser.ts';
import type { System } from './system.ts';

/**
 * Frames of a goal's event stream, as they come over one connection, until it ends or `enough` says so of a frame.
 * @param lastEventId sent as `Last-Event-ID`
 */
export async function readStream(
  system: System,
  goalId: string,
  options: { readonly lastEventId?: string; readonly enough?: (frame: ServerSentEvent) => boolean } = {},
): Promise<{ readonly status: number; readonly frames: readonly ServerSentEvent[] }> {
  const { lastEventId, enough = () => false } = options;
  const headers = new Headers({ accept: 'text/event-stream' });
  if (lastEventId !== undefined) headers.set('last-event-id', lastEventId);
  const connection = new AbortController();
  const response = await system.fetch(`/v1/goals/${goalId}/events`, { headers, signal: connection.signal });
  const frames: ServerSentEvent[] = [];
  const parser = createSseParser();
  try {
    // Of node's fetch, a body is a stream of bytes that can be iterated over.
    for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      for (const frame of parser.push(bytes)) {
        frames.push(frame);
        if (enough(frame)) return { status: response.status, frames };
      }
    }
    return { status: response.status, frames };
  } finally {
    connection.abort();
  }
}

export const isLive = ({ event }: ServerSentEvent): boolean => event === 'task.progress';

/** `seq` of the durable events among the frames. */
export const durableSeqs = (frames: readonly ServerSentEvent[]): number[] =>
  frames.filter((frame) => !isLive(frame)).map(({ id }) => Number(id));

/** What the live frames say, in order. */
export const liveText = (frames: readonly ServerSentEvent[]): string =>
  frames
    .filter(isLive)
    .map(({ data }) => (JSON.parse(data) as { readonly text: string }).text)
    .join('');
