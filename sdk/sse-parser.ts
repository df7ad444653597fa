/** One dispatched event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** Last event id: of this event, or of an earlier one when this one has none. */
  readonly id: string;
  /** `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
}

/**
 * Push parser of the event stream format. Chunks may end anywhere, between the CR and the LF of a line end included.
 * An event that the stream's end cuts off is dropped, as the standard asks: the resume brings it again.
 *
 * Source: WHATWG HTML, §9.2.6 "Interpreting an event stream".
 */
export function createSseParser(): { push(bytes: Uint8Array): ServerSentEvent[] } {
  // Strips one leading byte order mark, and holds back a character that is split over two chunks.
  const decoder = new TextDecoder();
  let rest = '';
  let endedWithCr = false;
  let lastId = '';
  let event = '';
  let data: string[] = [];

  function takeField(line: string): void {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) lastId = value;
  }

  function dispatch(): ServerSentEvent | null {
    const dispatched = data.length === 0 ? null : { id: lastId, event: event || 'message', data: data.join('\n') };
    data = [];
    event = '';
    return dispatched;
  }

  return {
    push(bytes) {
      let text = decoder.decode(bytes, { stream: true });
      if (text === '') return [];
      if (endedWithCr && text.startsWith('\n')) text = text.slice(1);
      endedWithCr = text === '' ? false : text.endsWith('\r');
      const lines = (rest + text).split(/\r\n|\r|\n/);
      rest = lines.pop() ?? '';
      const events: ServerSentEvent[] = [];
      for (const line of lines) {
        if (line !== '') takeField(line);
        else {
          const dispatched = dispatch();
          if (dispatched) events.push(dispatched);
        }
      }
      return events;
    },
  };
}
