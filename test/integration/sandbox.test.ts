import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../../platform/config.ts';
import { createSandbox, type SandboxRequest } from '../../activities/sandbox/create-sandbox.ts';

const bwrapPath = loadConfig(inject('stack').env).ASTRA_BWRAP_BIN;
const base = realpathSync(mkdtempSync(join(tmpdir(), 'astra-sandbox-')));
const root = join(base, 'root');
const project = join(root, 'project');
const secrets = join(base, 'secrets');
const asRoot = process.getuid?.() === 0;
/** What only a worker that is root does. */
const testAsRoot = (name: string, run: () => Promise<void>): void => {
  if (asRoot) test(name, run);
};
const mebibyte = 1024 * 1024;
const sandbox = createSandbox({
  bwrapPath,
  roots: [root],
  limits: {
    wallSeconds: 20,
    cpuSeconds: 1,
    memoryBytes: 128 * mebibyte,
    processes: 24,
    fileBytes: mebibyte,
    tmpBytes: 4 * mebibyte,
    outputBytes: 10_000,
  },
});
const run = (command: string, request: Partial<SandboxRequest> = {}) =>
  sandbox.run({ command, signal: new AbortController().signal, ...request });

beforeAll(() => {
  chmodSync(base, 0o755);
  for (const directory of [root, project, secrets]) mkdirSync(directory, { mode: 0o755 });
  writeFileSync(join(project, 'readme.txt'), 'hello\n');
  writeFileSync(join(secrets, 'key.txt'), 'the secret\n');
  symlinkSync(secrets, join(root, 'link'));
  symlinkSync(secrets, join(project, 'inner-link'));
  process.env['ASTRA_TEST_SECRET'] = 'in the environment';
});
afterAll(() => {
  delete process.env['ASTRA_TEST_SECRET'];
  rmSync(base, { recursive: true });
});

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** Command lines of this machine's processes that contain `marker`. */
function processesWith(marker: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const line = readOrNull(`/proc/${pid}/cmdline`) ?? '';
    return line.includes(marker) ? [line] : [];
  });
}

describe('what a command sees', () => {
  test('it runs a command with its input and returns exit code and both outputs', async () => {
    const result = await run('cat; echo oops >&2; exit 3', { stdin: 'some input' });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'some input', stderr: 'oops\n', truncated: false });
  });

  test('the host’s files, secrets and other users’ processes are not there', async () => {
    const { stdout } = await run(
      `for p in /root /home /etc/shadow /var /run /sys /opt ${base} ${process.cwd()}; do test -e $p && echo "$p is there"; done; ls /etc; cat /etc/passwd; ls /proc | grep -c '^[0-9]'`,
    );
    expect(stdout).not.toContain('is there');
    expect(stdout).not.toContain('shadow');
    expect(stdout).toMatch(/^sandbox:x:/m);
    expect(stdout.split('\n').filter((line) => line.includes(':x:'))).toHaveLength(1);
  });

  test('the environment holds nothing of the worker’s', async () => {
    const { stdout } = await run('env; cat /proc/1/environ /proc/self/environ | tr "\\0" "\\n"');
    const names = new Set(
      stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split('=')[0]),
    );
    expect([...names].sort()).toEqual([
      'GIT_CONFIG_COUNT',
      'GIT_CONFIG_KEY_0',
      'GIT_CONFIG_VALUE_0',
      'GIT_OPTIONAL_LOCKS',
      'HOME',
      'LANG',
      'PATH',
      'PWD',
    ]);
  });

  test('it is no root, has no capability and can gain none', async () => {
    const { stdout } = await run(
      'id -u; grep -E "Cap(Inh|Prm|Eff|Amb)|NoNewPrivs|^Uid" /proc/self/status; ls /proc/self/fd',
    );
    expect(stdout).toMatch(/^65534$/m);
    expect(stdout).toMatch(/NoNewPrivs:\s+1/);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
      expect(stdout).toMatch(new RegExp(`${set}:\\s+0+$`, 'm'));
  });

  test('no file descriptor of the worker’s is left open', async () => {
    const { stdout } = await run('for fd in /proc/$$/fd/*; do echo "${fd##*/}"; done', {
      mounts: [{ path: project, mode: 'ro' }],
    });
    // What the runner itself was started with goes on to every child; only the worker's starter can change that.
    const inherited = readdirSync('/proc/self/fdinfo').filter((fd) => {
      const flags = readOrNull(`/proc/self/fdinfo/${fd}`)?.match(/^flags:\s+(\d+)$/m)?.[1];
      return flags !== undefined && (parseInt(flags, 8) & 0o2000000) === 0;
    });
    const open = stdout.split('\n').filter(Boolean);
    expect(open).toEqual(expect.arrayContaining(['0', '1', '2']));
    // 3 is the shell's own, for listing the directory.
    expect(open.filter((fd) => Number(fd) > 3 && !inherited.includes(fd))).toEqual([]);
  });

  testAsRoot('a worker that is root really becomes another user outside', async () => {
    const abort = new AbortController();
    const running = run('sleep 7654 & wait', { signal: abort.signal });
    const statusOfSleep = (): string => {
      const pid = readdirSync('/proc').find((name) => readOrNull(`/proc/${name}/cmdline`) === 'sleep\x007654\x00');
      return (pid && readOrNull(`/proc/${pid}/status`)) ?? '';
    };
    await expect.poll(statusOfSleep, { interval: 10 }).toMatch(/^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    abort.abort();
    await expect(running).rejects.toMatchObject({ code: 'ASTRA_CANCELLED' });
  });

  test('there is no network, not even the host’s loopback', async () => {
    const { stdout } = await run('cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/tcp | wc -l');
    expect(stdout.replace(/\s+/g, ' ').trim()).toBe('lo 1');
  });

  test('only /tmp can be written, and it is empty at the beginning', async () => {
    const { stdout } = await run(
      'ls -A /tmp; for p in /x /etc/x /usr/x /dev/x /bin/x; do touch $p 2>/dev/null && echo wrote $p; done; echo a > /tmp/a && cat /tmp/a',
    );
    expect(stdout).toBe('a\n');
  });
});

describe('mounts', () => {
  test('a directory under a root is seen read-only at its own path, and is the working directory', async () => {
    const result = await run('pwd; cat readme.txt; touch new 2>&1', { mounts: [{ path: project, mode: 'ro' }] });
    expect(result.stdout).toContain(`${project}\nhello\n`);
    expect(result.stdout).toContain('Read-only file system');
  });

  test('a directory mounted for writing keeps what is written, under its owner', async () => {
    const writable = join(root, 'writable');
    mkdirSync(writable);
    const owner = asRoot ? 12_345 : process.getuid?.();
    if (asRoot) chownSync(writable, 12_345, 12_345);
    const result = await run('echo kept > file', {
      mounts: [
        { path: project, mode: 'ro', at: '/in' },
        { path: writable, mode: 'rw' },
      ].reverse() as never,
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(readFileSync(join(writable, 'file'), 'utf8')).toBe('kept\n');
    expect(statSync(join(writable, 'file')).uid).toBe(owner);
  });

  test('`at` moves it, but not over the system', async () => {
    const moved = await run('cat /opt/in/readme.txt', { mounts: [{ path: project, at: '/opt/in', mode: 'ro' }] });
    expect(moved.stdout).toBe('hello\n');
    for (const at of ['/', '/usr/bin', '/etc', '/usr/../etc', 'relative', '/lib64']) {
      await expect(run('true', { mounts: [{ path: project, at, mode: 'ro' }] })).rejects.toMatchObject({
        code: 'ASTRA_TOOL_INPUT_INVALID',
        faults: [{ pointer: '/mounts/0/at' }],
      });
    }
  });

  test.each([
    ['a path outside the roots', () => secrets],
    ['a path that climbs out', () => `${root}/../secrets`],
    ['a symbolic link out', () => join(root, 'link')],
    ['a symbolic link on the way', () => join(root, 'link', '.')],
    ['a directory whose name begins like a root', () => `${root}2`],
    ['a file', () => join(project, 'readme.txt')],
    ['nothing', () => join(root, 'absent')],
  ])('%s is refused', async (_, path) => {
    mkdirSync(`${root}2`, { recursive: true });
    await expect(
      run('true', {
        mounts: [
          { path: project, mode: 'ro' },
          { path: path(), mode: 'ro' },
        ],
      }),
    ).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer: '/mounts/1/path' }],
    });
  });

  test('the state of the local stack is neither mounted nor seen inside a mount', async () => {
    const state = join(root, 'with-state', '.astra');
    mkdirSync(join(state, 'deeper'), { recursive: true });
    writeFileSync(join(state, 'connection.json'), 'the token');
    if (asRoot) chownSync(join(root, 'with-state'), 12_345, 12_345);
    for (const mode of ['ro', 'rw'] as const) {
      const result = await run('ls -A . .astra; cat .astra/connection.json; touch .astra/x', {
        mounts: [{ path: join(root, 'with-state'), mode }],
      });
      expect(result.stdout).toBe('.:\n.astra\n\n.astra:\n');
      expect(result.stderr).toContain('No such file');
      expect(result.stderr).toContain('Read-only file system');
    }
    for (const path of [state, join(state, 'deeper')]) {
      await expect(run('true', { mounts: [{ path, mode: 'ro' }] })).rejects.toMatchObject({
        faults: [{ pointer: '/mounts/0/path' }],
      });
    }
  });

  test('a hidden directory of another name is empty wherever it is mounted', async () => {
    const outer = join(root, 'with-hidden');
    mkdirSync(join(outer, 'mystate'), { recursive: true });
    writeFileSync(join(outer, 'mystate', 'secrets.json'), 'the key');
    const hiding = createSandbox({ bwrapPath, roots: [root], hiddenDirectories: [join(outer, 'mystate')] });
    const result = await hiding.run({
      command: 'ls -A mystate; cat mystate/secrets.json',
      mounts: [{ path: outer, mode: 'ro' }],
      signal: AbortSignal.timeout(10_000),
    });
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('No such file');
  });

  test('a link inside a mounted directory leads nowhere', async () => {
    const result = await run('cat inner-link/key.txt', { mounts: [{ path: project, mode: 'ro' }] });
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout).not.toContain('secret');
  });

  testAsRoot('what a command could not use is refused, with what to do', async () => {
    const closed = join(root, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    await expect(run('true', { mounts: [{ path: closed, mode: 'ro' }] })).rejects.toThrow('chmod o+rx');
    await expect(run('true', { mounts: [{ path: project, mode: 'rw' }] })).rejects.toThrow('belongs to root');
  });

  test('git works in a repository of another user', async () => {
    const repository = join(root, 'repository');
    const git = (...words: string[]) =>
      execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words]);
    mkdirSync(repository);
    git('init', '-q');
    writeFileSync(join(repository, 'a.txt'), 'a');
    git('add', '.');
    git('commit', '-q', '-m', 'first commit');
    const result = await run('git log --oneline && git ls-files && git status --short', {
      mounts: [{ path: repository, mode: 'ro' }],
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout).toMatch(/first commit\na\.txt\n$/);
  });
});

describe('limits', () => {
  test('a command that burns CPU is ended', async () => {
    expect((await run('while :; do :; done')).exitCode).toBe(152);
  });

  test('a fork bomb is stopped, and another sandbox works beside it', async () => {
    const [bomb, other] = await Promise.all([
      run('b() { b | b & wait; }; b'),
      run('for i in 1 2 3 4 5 6 7 8; do (sleep 0.3) & done; wait; echo fine'),
    ]);
    expect(bomb.stderr).toMatch(/fork|Resource temporarily unavailable/i);
    expect(other.stdout).toBe('fine\n');
  });

  test('a memory hog is stopped', async () => {
    // tail keeps what it has read until the end.
    const hog = (mebibytes: number) => run(`head -c ${mebibytes}m /dev/zero | tail -c ${mebibytes}m | wc -c`);
    expect((await hog(40)).stdout).toBe(`${40 * mebibyte}\n`);
    const result = await hog(400);
    expect(result.stderr).toContain('memory exhausted');
    expect(result.stdout).toBe('0\n');
  });

  test('a large file is stopped', async () => {
    expect((await run('head -c 3000000 /dev/zero > /tmp/big')).exitCode).toBe(153);
  });

  test('/tmp cannot be filled beyond its size', async () => {
    const result = await run('for i in 1 2 3 4 5 6 7 8; do head -c 1000000 /dev/zero > /tmp/$i || exit 1; done');
    expect(result).toMatchObject({ exitCode: 1 });
    expect(result.stderr).toContain('No space left on device');
  });

  test('output is capped and streamed, and the command is not held up by it', async () => {
    let streamed = 0;
    const result = await run('head -c 5000000 /dev/zero | tr "\\0" a; echo done >&2', {
      onOutput: (_, text) => void (streamed += text.length),
    });
    expect(result).toMatchObject({ exitCode: 0, truncated: true, stderr: 'done\n' });
    expect(result.stdout).toBe('a'.repeat(10_000));
    expect(streamed).toBe(10_005);
  });

  test('a command over the wall limit is ended with that reason', async () => {
    const short = createSandbox({ bwrapPath, roots: [], limits: { wallSeconds: 0.2 } });
    await expect(short.run({ command: 'sleep 100', signal: new AbortController().signal })).rejects.toMatchObject({
      code: 'ASTRA_SANDBOX_LIMIT',
      message: expect.stringContaining('wall') as string,
    });
  });
});

describe('the end', () => {
  test('an abort kills daemons too, within two seconds', async () => {
    const abort = new AbortController();
    let abortedAt = 0;
    const command = 'setsid sh -c "setsid sleep 8765 </dev/null >/dev/null 2>&1 &" ; sleep 8765 & echo started; wait';
    const running = run(command, {
      signal: abort.signal,
      onOutput: () => {
        expect(processesWith('8765').length).toBeGreaterThan(1);
        abortedAt = performance.now();
        abort.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: 'ASTRA_CANCELLED' });
    await expect.poll(() => processesWith('8765'), { timeout: 2_000, interval: 20 }).toEqual([]);
    expect(performance.now() - abortedAt).toBeLessThan(2_000);
  });

  test('a command that ends takes its daemons with it', async () => {
    const result = await run('setsid sleep 9876 & echo started');
    expect(result).toMatchObject({ exitCode: 0, stdout: 'started\n' });
    await expect.poll(() => processesWith('9876'), { timeout: 2_000, interval: 20 }).toEqual([]);
  });

  test('a worker that is killed takes its commands with it', async () => {
    const module = new URL('../../activities/sandbox/create-sandbox.ts', import.meta.url).href;
    const program = `const { createSandbox } = await import(${JSON.stringify(module)});
      await createSandbox({ bwrapPath: ${JSON.stringify(bwrapPath)}, roots: [] }).run({
        command: 'setsid sleep 6543 & wait', signal: new AbortController().signal });`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    const commands = () => processesWith('sleep\x006543');
    await expect.poll(commands, { timeout: 10_000, interval: 20 }).not.toEqual([]);
    worker.kill('SIGKILL');
    await expect.poll(commands, { timeout: 2_000, interval: 20 }).toEqual([]);
  });

  test('a time-out is told from a cancel', async () => {
    await expect(run('sleep 100', { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      code: 'ASTRA_TOOL_TIMEOUT',
    });
  });

  test('a missing bubblewrap is named', async () => {
    const missing = createSandbox({ bwrapPath: '/nowhere/bwrap', roots: [] });
    await expect(missing.run({ command: 'true', signal: new AbortController().signal })).rejects.toThrow(
      'ASTRA_BWRAP_BIN',
    );
  });
});
