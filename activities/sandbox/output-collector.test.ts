import { expect, test } from 'vitest';
import { createOutputCollector } from './output-collector.ts';

function collect(maxBytes: number, ...chunks: readonly Buffer[]) {
  let streamed = '';
  const collector = createOutputCollector({ maxBytes, onText: (text) => (streamed += text) });
  for (const chunk of chunks) collector.write(chunk);
  collector.end();
  return { text: collector.text(), tail: collector.tail(), truncated: collector.truncated, streamed };
}

test('a character whose bytes come in two pieces stays whole', () => {
  const bytes = Buffer.from('aäb');
  const whole = { text: 'aäb', tail: 'aäb', truncated: false, streamed: 'aäb' };
  expect(collect(100, bytes.subarray(0, 2), bytes.subarray(2))).toEqual(whole);
});

test('what is too much is cut off, never within a character, but its end is kept apart', () => {
  expect(collect(2, Buffer.from('aäb'), Buffer.from('cd'))).toEqual({
    text: 'a',
    tail: 'aäbcd',
    truncated: true,
    streamed: 'a',
  });
  expect(collect(4, Buffer.from('aäb'))).toMatchObject({ text: 'aäb', truncated: false });
});

test('bytes that are no text become replacement characters', () => {
  expect(collect(10, Buffer.from([0x61, 0xff]), Buffer.from([0xc3]))).toMatchObject({ text: 'a\ufffd\ufffd' });
});
