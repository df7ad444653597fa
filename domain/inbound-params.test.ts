import { expect, test } from 'vitest';
import { AstraError } from './errors.ts';
import { evaluateMap } from './expressions.ts';
import { checkInboundParams } from './inbound-params.ts';

test('parameters are made of the payload and the headers', () => {
  const text = `{"repo": payload.repository.name, "event": headers["x-github-event"], "count": size(payload.commits)}`;
  expect(checkInboundParams(text)).toEqual([]);
  const payload = { repository: { name: 'astra' }, commits: [1, 2] };
  expect(evaluateMap(text, { payload, headers: { 'x-github-event': 'push' } })).toEqual({
    repo: 'astra',
    event: 'push',
    count: 2,
  });
});

test.each([
  ['item.name', '"item" is not in scope'],
  ['{"a": tasks.x.output}', '"tasks.x" is not in scope'],
  ['{"a": payload.', 'is not valid'],
  ['{{ payload }}', 'without {{ }}'],
])('%s is refused beforehand', (text, message) => {
  expect(checkInboundParams(text)).toEqual([
    { pointer: '/params', message: expect.stringContaining(message) as unknown },
  ]);
});

test.each([
  ['payload', 'not a list'],
  ['payload[0].name', 'has no "name"'],
  ['{"a": goal.input}', 'not in scope'],
])('%s fails when it is evaluated', (text, message) => {
  expect(() => evaluateMap(text, { payload: [1], headers: {} })).toThrow(AstraError);
  expect(() => evaluateMap(text, { payload: [1], headers: {} })).toThrow(message);
});
