import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { goalId, goalView, graphView, taskView } from '../sdk/test-support/goal-samples.ts';
import { eventStream, json, startScriptedServer } from '../sdk/test-support/scripted-server.ts';

const exitCode = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('close', resolve));

function start(entry: string, args: readonly string[], apiUrl: string) {
  const env = { PATH: process.env.PATH, ASTRA_API_URL: apiUrl, ASTRA_TOKEN: 'secret' };
  const child = spawn(process.execPath, [join(import.meta.dirname, entry), ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, output: Promise.all([text(child.stdout), text(child.stderr), exitCode(child)]) };
}

test.each(['main.ts', 'astra.mjs'])('%s runs as a program and ends when its work is done', async (entry) => {
  const server = await startScriptedServer(() => json({ subject: 'ann', tenant: 'default', scopes: [] }));
  const [stdout, stderr, code] = await start(entry, ['me', '-o', 'json'], server.url).output;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ subject: 'ann' });
});

test.each(['SIGINT', 'SIGTERM'] as const)('%s lets go of a watched goal', async (signal) => {
  let streaming = (): void => undefined;
  const watched = new Promise<void>((resolve) => (streaming = resolve));
  const server = await startScriptedServer(({ path }) => {
    if (!path.endsWith('/events')) return json(path.endsWith('/graph') ? graphView([taskView()]) : goalView());
    streaming();
    return eventStream([], 'stay');
  });
  const { child, output } = start('main.ts', ['goal', 'watch', goalId], server.url);
  await watched;
  child.kill(signal);
  const [stdout, stderr, code] = await output;
  expect(code).toBe(130);
  expect(stdout).toContain('goal running');
  expect(stderr).toContain(`astra goal cancel ${goalId}`);
});

test('a reader that closes the pipe early ends the program quietly', async () => {
  const items = Array.from({ length: 500 }, () => goalView({ objective: 'x'.repeat(5_000) }));
  const server = await startScriptedServer(() => json({ items, nextCursor: null }));
  const env = { PATH: process.env.PATH, ASTRA_API_URL: server.url };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'goal', 'list', '-n', '500'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout.once('data', () => child.stdout.destroy());
  const [stderr, code] = await Promise.all([text(child.stderr), exitCode(child)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
