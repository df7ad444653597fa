import { AstraApiError } from './api-error.ts';
import type { ServerSentEvent } from './sse-parser.ts';

/** How often the same hole in the sequence may be met before it is taken for real. */
const maxGaps = 3;

/** `known`: nothing new, the reader has it. */
export type Lane = 'durable' | 'live' | 'known';

export interface EventCursor {
  /** The last durable event handed out; 0: none. */
  readonly lastSeq: number;
  /** `Last-Event-ID` of the next connection; null: from the beginning. */
  readonly resumeFrom: string | null;
  /**
   * What is this frame to the reader? A frame id is `<seq>` for a durable event and `<seq>-<liveId>` for the live lane.
   * @throws ASTRA_CONNECTION when an event before it is missing: reconnecting brings it. ASTRA_INTERNAL when it does not.
   */
  accept(frame: ServerSentEvent): Lane;
}

/** Holds a reader's place: durable events pass in `seq` order, each once, none left out. */
export function createEventCursor(fromSeq: number): EventCursor {
  let lastSeq = fromSeq - 1;
  let resumeFrom = lastSeq === 0 ? null : String(lastSeq);
  let gaps = 0;

  function failOnGap(seq: number): never {
    resumeFrom = lastSeq === 0 ? null : String(lastSeq);
    gaps += 1;
    if (gaps <= maxGaps)
      throw new AstraApiError('ASTRA_CONNECTION', 'The event stream skipped events', { retryable: true });
    const message = `The server leaves out the events ${lastSeq + 1} to ${seq - 1}; read the goal itself instead`;
    throw new AstraApiError('ASTRA_INTERNAL', message);
  }

  return {
    get lastSeq() {
      return lastSeq;
    },
    get resumeFrom() {
      return resumeFrom;
    },
    accept({ id }) {
      const seq = Number.parseInt(id, 10);
      if (id.includes('-')) {
        if (seq === lastSeq) resumeFrom = id;
        return 'live';
      }
      if (Number.isNaN(seq) || seq <= lastSeq) return 'known';
      if (seq > lastSeq + 1) failOnGap(seq);
      gaps = 0;
      lastSeq = seq;
      resumeFrom = id;
      return 'durable';
    },
  };
}
