export interface OutputCollector {
  write(chunk: Uint8Array): void;
  end(): void;
  /** The first `maxBytes`, as text. */
  text(): string;
  /** The last 2,000 characters, whatever was cut off before them. */
  tail(): string;
  readonly truncated: boolean;
}

const tailChars = 2_000;

/** Keeps the head of a stream, hands it on as it comes, and never makes the writer wait: what is too much is dropped. */
export function createOutputCollector(options: {
  readonly maxBytes: number;
  readonly onText: (text: string) => void;
}): OutputCollector {
  // One decoder for what is kept and one for the tail, as each must see a character's bytes together.
  const decoder = new TextDecoder();
  const tailDecoder = new TextDecoder();
  const parts: string[] = [];
  let tail = '';
  let room = options.maxBytes;
  let truncated = false;

  const keep = (text: string): void => {
    if (text === '') return;
    parts.push(text);
    options.onText(text);
  };
  return {
    write(chunk) {
      tail = `${tail}${tailDecoder.decode(chunk, { stream: true })}`.slice(-tailChars);
      if (chunk.byteLength > room) truncated = true;
      if (room > 0) keep(decoder.decode(chunk.subarray(0, room), { stream: true }));
      room -= Math.min(room, chunk.byteLength);
    },
    end: () => keep(truncated ? '' : decoder.decode()),
    text: () => parts.join(''),
    tail: () => tail,
    get truncated() {
      return truncated;
    },
  };
}
