import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Connection, readConnection } from '../../infra/local/connection.ts';
import { processIdentity } from '../../infra/local/process-identity.ts';
import type { Secrets } from '../../infra/local/secrets.ts';
import type { StatusReport } from '../../infra/local/status.ts';

const here = import.meta.dirname;
const standIns = {
  worker: join(here, '../support/stack/stand-in-worker.ts'),
  api: join(here, '../support/stack/stand-in-api.ts'),
};
const servers = ['memcached', 'postgres', 'redis', 's3', 'temporal'];
const patience = { timeout: 60_000, interval: 50 };
let root: string;
let launchers: ChildProcess[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'astra-launcher-'));
});
afterEach(async () => {
  for (const launcher of launchers) launcher.kill('SIGKILL');
  launchers = [];
  await vi.waitFor(async () => expect(await processesOfTheStack()).toEqual([]), patience);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Starts a launcher; resolves with what it says first, or with its exit. */
function launch(): { launcher: ChildProcess; up: Promise<string> } {
  const script = join(here, '../support/stack/launch.ts');
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const launcher = spawn(process.execPath, [script, root, standIns.api, standIns.worker], { stdio: [...stdio] });
  launchers.push(launcher);
  const up = new Promise<string>((resolve) => {
    launcher.stdout.once('data', (chunk) => resolve(String(chunk).trim()));
    launcher.once('exit', (code, signal) => resolve(`exit ${signal ?? code}`));
  });
  return { launcher, up };
}

function connectionNow(): Connection {
  const connection = readConnection(join(root, 'connection.json'));
  if (connection === null) throw new Error('The stack has written no connection file.');
  return connection;
}

/** Commands of the processes whose arguments name the stack's directory, the guard and the launcher aside. */
function processesOfTheStack(): Promise<string[]> {
  return new Promise((resolve, reject) => {
    execFile('ps', ['-A', '-o', 'command='], (error, stdout) => {
      if (error !== null) reject(new Error(error.message));
      else resolve(stdout.split('\n').filter((line) => line.includes(root) && !line.includes('launch.ts')));
    });
  });
}

function local(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const main = join(here, '../../infra/local/main.ts');
  const env = { ...process.env, ASTRA_STATE_DIR: root };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function query(databaseUrl: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text)).rows as unknown[];
  } finally {
    await client.end();
  }
}

function objectStore(): S3Client {
  // The launcher's own file.
  const secrets = JSON.parse(readFileSync(join(root, 'secrets.json'), 'utf8')) as Secrets;
  const credentials = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
  return new S3Client({ endpoint: connectionNow().s3Endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
}

describe('a running launcher', () => {
  it('tells where everything is, is alone in its directory, and ends all of it when told to stop', async () => {
    expect(await launch().up).toBe('up');
    const connection = connectionNow();
    expect((await stat(join(root, 'connection.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(root, 'secrets.json'))).mode & 0o777).toBe(0o600);
    expect(Object.keys(connection.processes).toSorted()).toEqual(['api', ...servers, 'worker'].toSorted());

    const second = await local('start');
    expect(second).toMatchObject({ code: 1 });
    expect(second.stderr).toContain(connection.apiUrl);
    expect(await local('start', '--reset')).toMatchObject({ code: 1 });

    const status = await local('status', '--json');
    expect(status.code).toBe(0);
    const report = JSON.parse(status.stdout) as StatusReport;
    expect(report.components.every(({ state, port, version }) => state === 'up' && port > 0 && version !== '')).toBe(
      true,
    );

    expect(await local('stop')).toMatchObject({ code: 0, stdout: 'The local stack is stopped.\n' });
    for (const pid of Object.values(connection.processes)) expect(processIdentity(pid)).toBeNull();
    expect(readConnection(join(root, 'connection.json'))).toBeNull();
    expect(await local('status')).toMatchObject({ code: 1 });
  });

  it('starts what died again, on the same port, and tells its new pid at once', async () => {
    expect(await launch().up).toBe('up');
    const before = connectionNow();
    for (const name of ['api', 'worker', 'redis', 'postgres']) {
      process.kill(before.processes[name] ?? 0, 'SIGKILL');
      await vi.waitFor(() => {
        const pid = connectionNow().processes[name];
        expect(pid !== undefined && pid !== before.processes[name]).toBe(true);
      }, patience);
    }
    await vi.waitFor(async () => expect((await local('status')).code).toBe(0), patience);
    expect(await query(connectionNow().databaseUrl, 'select 1 as one')).toEqual([{ one: 1 }]);
    const answer = (await (await fetch(before.apiUrl)).json()) as { pid: number };
    expect(answer.pid).toBe(connectionNow().processes.api);
  });
});

describe('a launcher killed with kill -9', () => {
  it.each([50, 400, 1500])('leaves no process behind when it is killed %i ms after its start', async (afterMs) => {
    const { launcher, up } = launch();
    setTimeout(() => launcher.kill('SIGKILL'), afterMs);
    expect(await up).toBe('exit SIGKILL');
    await vi.waitFor(async () => expect(await processesOfTheStack()).toEqual([]), patience);
  });

  it('leaves no process behind when everything is up, and the next start finds the data', async () => {
    const first = launch();
    expect(await first.up).toBe('up');
    const { processes, databaseUrl } = connectionNow();
    await query(databaseUrl, `create table kept as select 'still here' as text`);
    await objectStore().send(new PutObjectCommand({ Bucket: 'astra', Key: 'kept', Body: 'still here' }));
    first.launcher.kill('SIGKILL');
    await vi.waitFor(() => {
      expect(Object.values(processes).filter((pid) => processIdentity(pid) !== null)).toEqual([]);
    }, patience);

    expect(await launch().up).toBe('up');
    expect(await query(connectionNow().databaseUrl, 'select text from kept')).toEqual([{ text: 'still here' }]);
    const { Body } = await objectStore().send(new GetObjectCommand({ Bucket: 'astra', Key: 'kept' }));
    expect(await Body?.transformToString()).toBe('still here');
  });
});
