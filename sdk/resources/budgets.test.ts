import { expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { drop, inOrder, json, startScriptedServer } from '../test-support/scripted-server.ts';

const budget = { scope: 'agent:scout', limit: { usd: '10' }, reserved: { usd: '0' }, spent: { usd: '1.5' } };

test('a budget is read and set under its name', async () => {
  const server = await startScriptedServer(inOrder(json(budget), drop, json(budget)));
  const { budgets } = createAstra({ apiUrl: server.url, token: 'mine', backOff: { baseMs: 1, capMs: 5 } });
  expect(await budgets.get('agent:scout')).toEqual(budget);
  expect(await budgets.set('agent:scout', { usd: '10' })).toEqual(budget);
  expect(server.requests.map(({ method, path, body }) => [method, decodeURIComponent(path), body])).toEqual([
    ['GET', '/v1/budgets/agent:scout', undefined],
    ['PUT', '/v1/budgets/agent:scout', { limit: { usd: '10' } }],
    ['PUT', '/v1/budgets/agent:scout', { limit: { usd: '10' } }],
  ]);
});
