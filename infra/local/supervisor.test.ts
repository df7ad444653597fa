import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Component } from './component.ts';
import { answers, createPortAllocator } from './ports.ts';
import { processIdentity } from './process-identity.ts';
import { supervise, type Supervisor } from './supervisor.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

let directory: string;
let watchdog: Watchdog;
let running: Supervisor[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-supervisor-'));
  watchdog = createWatchdog();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((supervisor) => supervisor.stop()));
  watchdog.close();
  await rm(directory, { recursive: true });
});

async function superviseScript(
  script: string,
  onGiveUp: (error: Error) => void = () => undefined,
): Promise<Supervisor> {
  const port = await createPortAllocator('any').take('api');
  const file = join(directory, 'server.mjs');
  await writeFile(file, script);
  const component: Component = {
    name: 'api',
    version: '1',
    port,
    command: { file: process.execPath, args: [file, String(port)], env: {}, cwd: directory },
    stop: { signal: 'SIGTERM', graceMs: 500 },
    async probe() {
      if (!(await answers(port))) throw new Error('not yet');
    },
  };
  const supervisor = supervise(component, {
    watchdog,
    logFile: join(directory, 'log'),
    onChange: () => undefined,
    onGiveUp,
  });
  running.push(supervisor);
  return supervisor;
}

const server = `import { createServer } from 'node:net'; createServer().listen(Number(process.argv[2]), '127.0.0.1');`;

it('starts a process that died again, on the same port and under a new pid', async () => {
  const supervisor = await superviseScript(server);
  await supervisor.start();
  const first = supervisor.pid;
  supervisor.kill('SIGKILL');
  await vi.waitFor(() => expect(supervisor.pid !== first && supervisor.state === 'up').toBe(true), { timeout: 10_000 });
  expect(await answers(supervisor.component.port)).toBe(true);
});

it('kills a process that does not end when asked', async () => {
  const supervisor = await superviseScript(`process.on('SIGTERM', () => console.log('no')); ${server}`);
  await supervisor.start();
  const pid = supervisor.pid ?? 0;
  await supervisor.stop();
  expect(processIdentity(pid)).toBeNull();
  expect(supervisor.state).toBe('down');
  expect(readFileSync(join(directory, 'log'), 'utf8')).toContain('no');
});

it('fails a start with the last lines that the process wrote', async () => {
  const supervisor = await superviseScript(`console.error('no such database'); process.exit(3);`);
  await expect(supervisor.start()).rejects.toThrow(/ended with code 3[^]*no such database/);
  expect(supervisor.state).toBe('down');
});

it('gives up a process that keeps dying, and says what it wrote last', async () => {
  const gaveUp = Promise.withResolvers<Error>();
  const supervisor = await superviseScript(
    `${server} setTimeout(() => { throw new Error('bad luck'); }, 100);`,
    gaveUp.resolve,
  );
  await supervisor.start();
  expect((await gaveUp.promise).message).toContain('bad luck');
  expect(supervisor.state).toBe('down');
  expect(supervisor.pid).toBeNull();
}, 30_000);
