import { expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { drop, inOrder, json, startScriptedServer } from '../test-support/scripted-server.ts';

test('parked tasks are retried under one key, however often it is sent', async () => {
  const told = { matched: 0, tasks: [] };
  const page = { items: [], nextCursor: null };
  const server = await startScriptedServer(inOrder(json(page), drop, json(told, 202), json(told)));
  const { tasks } = createAstra({ apiUrl: server.url, token: 'mine', backOff: { baseMs: 1, capMs: 5 } });
  expect(await tasks.list({ goalId: 'gol_1' })).toEqual(page);
  expect(await tasks.retry({ code: 'X' })).toEqual(told);
  expect(await tasks.discard({}, { dryRun: true })).toEqual(told);
  expect(server.requests.map(({ method, path, query, body }) => [method, `${path}?${query.toString()}`, body])).toEqual(
    [
      ['GET', '/v1/tasks?goalId=gol_1&status=parked', undefined],
      ['POST', '/v1/tasks:retry?', { code: 'X' }],
      ['POST', '/v1/tasks:retry?', { code: 'X' }],
      ['POST', '/v1/tasks:discard?dryRun=true', {}],
    ],
  );
  const [, first, second] = server.requests.map(({ headers }) => headers['idempotency-key']);
  expect(first).toBe(second);
});
