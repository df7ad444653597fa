import { expect, test } from 'vitest';
import { inOrder, json, startScriptedServer } from '../sdk/test-support/scripted-server.ts';
import { runInProcess } from './test-support/run-in-process.ts';

test('a policy is set by flags or from a file, and shown', async () => {
  const policy = { completed: { days: 30, archive: false }, failed: { days: 90, archive: true } };
  const server = await startScriptedServer(() => json(policy));
  const flags = ['retention', 'set', '--completed', '30', '--failed', '90,archive'];
  const { stdout, exitCode } = await runInProcess(server.url, flags);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    'STATUS     KEPT FOR  THEN\ncompleted  30 days   deleted\nfailed     90 days   archived and deleted\ncancelled  ever      -\n',
  );
  await runInProcess(server.url, ['retention', 'set', '-'], { stdin: JSON.stringify(policy) });
  await runInProcess(server.url, ['retention', 'set']);
  expect(server.requests.map(({ method, body }) => [method, body])).toEqual([
    ['PUT', policy],
    ['PUT', policy],
    ['PUT', {}],
  ]);
  for (const wrong of [
    ['--completed', 'soon'],
    ['--failed', '9', '-'],
  ]) {
    expect(await runInProcess(server.url, ['retention', 'set', ...wrong])).toMatchObject({ exitCode: 64 });
  }
});

test('a deletion is waited for, unless the caller does not want to', async () => {
  const removed = { goals: 3, rows: 40, objects: 2, executions: 3, votes: 1 };
  const running = { id: 'del_1', kind: 'subject', status: 'running', removed: { ...removed, goals: 0 } };
  const completed = { ...running, status: 'completed', removed };
  const server = await startScriptedServer(inOrder(json(running, 202), json(completed), json(running, 202)));
  const waited = await runInProcess(server.url, ['subject', 'forget', 'ann']);
  expect(waited.stdout).toBe('3 goals, 2 objects, 3 executions deleted, 1 votes unnamed\n');
  expect(waited.stderr).toBe('del_1 is under way\n');
  const { stdout } = await runInProcess(server.url, ['tenant', 'delete', 'acme', '--no-wait']);
  expect(stdout).toBe('del_1 running\n');
  expect(server.requests.map(({ path }) => path)).toEqual([
    '/v1/subjects:forget',
    '/v1/deletions/del_1',
    '/v1/tenant:delete',
  ]);
});
