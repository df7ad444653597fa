import { expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { drop, inOrder, startScriptedServer } from '../test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, token: 'mine', backOff: { baseMs: 1, capMs: 5 } });
const done = (response: { writeHead(status: number): { end(): unknown } }) => response.writeHead(204).end();

test('a token is revoked, again when the connection drops', async () => {
  const server = await startScriptedServer(inOrder(drop, done));
  await client(server.url).tokens.revoke('lost');
  expect(server.requests).toHaveLength(2);
  expect(server.requests[1]).toMatchObject({ method: 'POST', path: '/v1/tokens:revoke', body: { token: 'lost' } });
});

test('one’s own is revoked without a body, and once: it cannot be used again', async () => {
  const server = await startScriptedServer(inOrder(done, drop));
  await client(server.url).tokens.revoke();
  expect(server.requests[0]?.body).toBeUndefined();
  await expect(client(server.url).tokens.revoke()).rejects.toMatchObject({ code: 'ASTRA_CONNECTION' });
  expect(server.requests).toHaveLength(2);
});
