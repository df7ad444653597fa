import { expect, test } from 'vitest';
import { json, startScriptedServer } from '../../sdk/test-support/scripted-server.ts';
import { runInProcess } from '../test-support/run-in-process.ts';

const budget = {
  scope: 'tenant',
  limit: { usd: '10.00', tasks: 500 },
  reserved: { usd: '0.25', tasks: 1 },
  spent: { usd: '1.50', tasks: 20 },
};

test('a budget is shown by unit', async () => {
  const server = await startScriptedServer(() => json(budget));
  const { exitCode, stdout } = await runInProcess(server.url, ['budget', 'get', 'tenant']);
  expect(exitCode).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/)),
  ).toEqual([
    ['UNIT', 'LIMIT', 'RESERVED', 'SPENT'],
    ['usd', '10.00', '0.25', '1.50'],
    ['tasks', '500', '1', '20'],
  ]);
});

test('one without limits says so', async () => {
  const server = await startScriptedServer(() => json({ scope: 'tenant', limit: {}, reserved: {}, spent: {} }));
  expect((await runInProcess(server.url, ['budget', 'get', 'tenant'])).stdout).toBe('tenant has no limit\n');
});

test('limits are set as they are given', async () => {
  const server = await startScriptedServer(() => json(budget));
  const args = ['budget', 'set', 'tenant', '--usd', '10.00', '--tasks', '500'];
  expect((await runInProcess(server.url, args)).exitCode).toBe(0);
  expect(server.requests[0]).toMatchObject({ method: 'PUT', body: { limit: { usd: '10.00', tasks: 500 } } });
  expect((await runInProcess(server.url, ['budget', 'set', 'tenant', '--usd', 'much'])).exitCode).toBe(64);
});
