import { expect, test } from 'vitest';
import { decodeCursor, encodeCursor, toPage } from './cursor.ts';

const position = { key: '2026-01-02T03:04:05.678901Z', id: 'gol_0123456789abcdef' };

test('a cursor survives its way to the client and back', () => {
  expect(decodeCursor(encodeCursor(position))).toEqual(position);
  expect(decodeCursor(undefined)).toBeNull();
});

test.each([
  ['not base64', '€€€'],
  ['not JSON', Buffer.from('{').toString('base64url')],
  ['another shape', Buffer.from('[1,2]').toString('base64url')],
  ['a key that is no time', encodeCursor({ ...position, key: "'; DROP TABLE goals; --" })],
  ['an id that no list gave', encodeCursor({ ...position, id: 'a\0b' })],
])('a cursor that is %s is refused', (_what, cursor) => {
  expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: 'ASTRA_PARAMETER_INVALID' }));
});

test('the last page has no next cursor, even when it is full', () => {
  const map = { item: (n: number) => n, position: (n: number) => ({ key: position.key, id: String(n) }) };
  expect(toPage([1, 2], 2, map)).toEqual({ items: [1, 2], nextCursor: null });
  const first = toPage([1, 2, 3], 2, map);
  expect(first.items).toEqual([1, 2]);
  expect(decodeCursor(first.nextCursor ?? '')).toEqual({ key: position.key, id: '2' });
});
