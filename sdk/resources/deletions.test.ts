import { expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { drop, inOrder, json, startScriptedServer } from '../test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, token: 'mine', backOff: { baseMs: 1, capMs: 5 } });
const deletion = (status: 'running' | 'completed') => ({
  id: 'del_1',
  kind: 'tenant',
  status,
  requestedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: status === 'completed' ? '2026-01-01T00:00:09.000Z' : null,
  removed: { goals: 1, rows: 9, objects: 0, executions: 1, votes: 0 },
});

test('a deletion is asked for again under the same key when the connection drops', async () => {
  const server = await startScriptedServer(inOrder(drop, json(deletion('running'), 202)));
  expect(await client(server.url).tenant.delete('acme')).toEqual(deletion('running'));
  const [first, second] = server.requests;
  expect(second).toMatchObject({ method: 'POST', path: '/v1/tenant:delete', body: { confirm: 'acme' } });
  expect(first?.headers['idempotency-key']).toMatch(/.{30}/);
  expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
});

test('a subject is forgotten under the caller’s own key', async () => {
  const server = await startScriptedServer(inOrder(json(deletion('running'), 202)));
  await client(server.url).subjects.forget('ann', { idempotencyKey: 'ticket-7' });
  expect(server.requests[0]).toMatchObject({ path: '/v1/subjects:forget', body: { subject: 'ann' } });
  expect(server.requests[0]?.headers['idempotency-key']).toBe('ticket-7');
});

test('its result is waited for, and not for ever', async () => {
  const server = await startScriptedServer(inOrder(json(deletion('running')), json(deletion('completed'))));
  expect(await client(server.url).deletions.result('del_1')).toEqual(deletion('completed'));
  expect(server.requests.map(({ path }) => path)).toEqual(['/v1/deletions/del_1', '/v1/deletions/del_1']);
  const slow = await startScriptedServer(() => json(deletion('running')));
  await expect(client(slow.url).deletions.result('del_1', { timeoutMs: 5 })).rejects.toMatchObject({
    code: 'ASTRA_TIMEOUT',
  });
});
