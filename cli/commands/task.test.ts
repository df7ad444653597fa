import { expect, test } from 'vitest';
import { json, startScriptedServer } from '../../sdk/test-support/scripted-server.ts';
import { runInProcess } from '../test-support/run-in-process.ts';

const task = {
  goalId: 'gol_0000000000000001',
  taskId: 'each.3',
  tool: 'http.fetch',
  title: 'Each',
  reason: 'failed',
  detail: 'ASTRA_TOOL_FAILED',
  error: { code: 'ASTRA_TOOL_FAILED', message: 'no answer', retryable: true },
  attempt: 3,
  parkedAt: '2026-01-01T00:00:00.000Z',
};
const told = { matched: 1, tasks: [{ goalId: task.goalId, taskId: task.taskId }] };

test('parked tasks are listed with what they were parked for', async () => {
  const server = await startScriptedServer(() => json({ items: [task], nextCursor: null }));
  const { stdout } = await runInProcess(server.url, ['task', 'list', '--code', 'ASTRA_TOOL_FAILED']);
  expect(stdout).toContain('each.3');
  expect(stdout).toContain('ASTRA_TOOL_FAILED: no answer');
  expect(server.requests[0]?.query.get('code')).toBe('ASTRA_TOOL_FAILED');
});

test('nothing parked says so', async () => {
  const server = await startScriptedServer(() => json({ items: [], nextCursor: null }));
  expect((await runInProcess(server.url, ['task', 'list'])).stdout).toBe('nothing is parked\n');
});

test('a command takes what the options say, and names it', async () => {
  const server = await startScriptedServer(() => json({ ...told, more: true }, 202));
  const args = ['task', 'retry', '--goal', task.goalId, '--code', 'ASTRA_TOOL_FAILED', '--older-than', '60'];
  const { exitCode, stdout, stderr } = await runInProcess(server.url, args);
  expect([exitCode, stdout]).toEqual([0, `${task.goalId} each.3\n`]);
  expect(stderr).toContain('1 to be tried again; there are more');
  expect(server.requests[0]).toMatchObject({
    method: 'POST',
    path: '/v1/tasks:retry',
    body: { goalIds: [task.goalId], code: 'ASTRA_TOOL_FAILED', olderThanSeconds: 60 },
  });
});

test('with --dry-run it does nothing', async () => {
  const server = await startScriptedServer(() => json(told));
  expect((await runInProcess(server.url, ['task', 'discard', '--dry-run'])).stderr).toContain('1 would be taken');
  expect(server.requests[0]).toMatchObject({ path: '/v1/tasks:discard', body: {} });
});
