import { expect, test } from 'vitest';
import { parseLastEventId } from './sse-frame.ts';

test.each([
  ['12', { seq: 12, liveId: null }],
  ['12-1700000000000-3', { seq: 12, liveId: '1700000000000-3' }],
  ['0-1700000000000-0', { seq: 0, liveId: '1700000000000-0' }],
])('the id %s says how far its reader has come', (id, position) => {
  expect(parseLastEventId(id)).toEqual(position);
});

test.each(['x', '-1', '1-', '1-2', '1-2-3-4', '1.5', '12 '])('"%s" is no id of this stream', (id) => {
  expect(() => parseLastEventId(id)).toThrow(expect.objectContaining({ code: 'ASTRA_PARAMETER_INVALID' }));
});
