import { describe, expect, test } from 'vitest';
import { createSseParser, type ServerSentEvent } from './sse-parser.ts';

const encoder = new TextEncoder();

function parse(...chunks: readonly (string | Uint8Array)[]): ServerSentEvent[] {
  const parser = createSseParser();
  return chunks.flatMap((chunk) => parser.push(typeof chunk === 'string' ? encoder.encode(chunk) : chunk));
}

describe('event stream parser', () => {
  test('reads id, event and data, and takes one space after the colon away', () => {
    expect(parse('id: 7\nevent:task.completed\ndata:  two spaces\n\n')).toEqual([
      { id: '7', event: 'task.completed', data: ' two spaces' },
    ]);
  });

  test.each(['\n', '\r\n', '\r'])('ends lines with %j', (end) => {
    const stream = ['id: 1', 'data: a', '', 'data: b', '', ''].join(end);
    expect(parse(stream)).toEqual([
      { id: '1', event: 'message', data: 'a' },
      { id: '1', event: 'message', data: 'b' },
    ]);
  });

  test('joins several data lines with a line feed', () => {
    expect(parse('data: a\ndata:\ndata: b\n\n')).toEqual([{ id: '', event: 'message', data: 'a\n\nb' }]);
  });

  test('skips one byte order mark at the beginning only', () => {
    expect(parse('\uFEFFdata: a\n\n\uFEFFdata: lost\n\n')).toEqual([{ id: '', event: 'message', data: 'a' }]);
  });

  test('ignores comments, unknown fields and events without data', () => {
    expect(parse(': keep-alive\n\nevent: empty\n\nretry: 5\nfoo: bar\ndata\n\n')).toEqual([
      { id: '', event: 'message', data: '' },
    ]);
  });

  test('keeps the last id for events without one and ignores an id with a NUL', () => {
    expect(parse('id: 1\ndata: a\n\nid: x\0y\ndata: b\n\nid\ndata: c\n\n').map(({ id }) => id)).toEqual(['1', '1', '']);
  });

  test('drops an event that the end of the stream cuts off', () => {
    expect(parse('data: whole\n\ndata: half\n')).toEqual([{ id: '', event: 'message', data: 'whole' }]);
  });

  test('gives the same events however the bytes are cut, inside characters and line ends included', () => {
    const bytes = encoder.encode(
      '\uFEFFid: 1\r\nevent: täsk\r\ndata: “ü😀”\r\ndata: 2\r\n\r\n: c\rid: 2\rdata: z\r\rdata: y\n\n',
    );
    const whole = parse(bytes);
    expect(whole).toHaveLength(3);
    for (let size = 1; size < bytes.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.slice(i * size, (i + 1) * size),
      );
      expect(parse(...chunks)).toEqual(whole);
    }
  });
});
