import { expect, test } from 'vitest';
import { createEndpointRooms } from './endpoint-rooms.ts';

const one = { tenant: 'a', endpoint: 'whk_1' };
const other = { tenant: 'b', endpoint: 'whk_1' };

test('an endpoint has room for ten, and is not named while nothing is under way', () => {
  const rooms = createEndpointRooms();
  expect(rooms.list()).toEqual([]);
  for (let n = 0; n < 3; n += 1) rooms.take(one);
  expect(rooms.list()).toEqual([{ ...one, room: 7 }]);
  for (let n = 0; n < 3; n += 1) rooms.giveBack(one, { failed: false });
  expect(rooms.list()).toEqual([]);
});

test('one that fails has room for one until it answers again, and the others are none the worse', () => {
  const rooms = createEndpointRooms();
  for (let n = 0; n < 4; n += 1) rooms.take(one);
  rooms.take(other);
  rooms.giveBack(one, { failed: true });
  expect(new Set(rooms.list())).toEqual(
    new Set([
      { ...other, room: 9 },
      { ...one, room: 0 },
    ]),
  );
  for (let n = 0; n < 3; n += 1) rooms.giveBack(one, { failed: true });
  expect(rooms.list()).toContainEqual({ ...one, room: 1 });
  rooms.take(one);
  rooms.giveBack(one, { failed: false });
  expect(rooms.list()).toEqual([{ ...other, room: 9 }]);
});
