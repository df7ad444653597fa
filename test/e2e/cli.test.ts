import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startAstra, type RunningAstra } from '../support/start-astra.ts';

let astra: RunningAstra;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-cli-e2e-'));
  astra = await startAstra(inject('stack'));
});
afterAll(async () => {
  await astra[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program as users start it. */
async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  const { apiUrl, token } = inject('stack').connection;
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../cli/main.ts'), ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, ASTRA_API_URL: apiUrl, ASTRA_TOKEN: token, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const runJson = async (args: readonly string[]): Promise<unknown> =>
  JSON.parse((await run([...args, '-o', 'json'])).stdout);

async function planFile(name: string, plan: object): Promise<string> {
  await writeFile(join(directory, name), JSON.stringify(plan));
  return name;
}

describe('astra template', () => {
  test('apply, run --watch, result and artifacts --download take a goal from its file to its bytes', async () => {
    const template = {
      name: 'e2e-cli',
      description: 'Writes a note.',
      params: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
      objective: 'A note for {{ params.to }}',
      plan: {
        tasks: [
          {
            id: 'note',
            title: 'Write the note',
            kind: 'tool',
            tool: 'artifact.write',
            input: { name: 'note.txt', mediaType: 'text/plain', text: 'Dear {{ params.to }}' },
          },
        ],
        output: '{{ tasks.note.output }}',
      },
    };
    expect(await run(['template', 'apply', await planFile('template.json', template)])).toMatchObject({
      code: 0,
      stdout: 'e2e-cli applied\n',
    });
    expect(await runJson(['template', 'list'])).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ name: 'e2e-cli' })]) as unknown,
    });

    const watched = await run(['template', 'run', 'e2e-cli', '--param', 'to=Ada', '--watch', '--id-file', 'id']);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('A note for Ada');
    expect(watched.stdout).toMatch(/completed +Write the note \(note\)/);
    const id = (await readFile(join(directory, 'id'), 'utf8')).trim();

    const result = await run(['goal', 'result', id]);
    expect(result.code).toBe(0);
    expect(JSON.parse(result.stdout)).toMatchObject({ artifact: { name: 'note.txt' } });
    const path = join(directory, 'out', 'note.txt');
    expect(await run(['goal', 'artifacts', id, '--download', 'out'])).toMatchObject({ code: 0, stdout: `${path}\n` });
    expect(await readFile(path, 'utf8')).toBe('Dear Ada');
    expect(await run(['template', 'delete', 'e2e-cli'])).toMatchObject({ code: 0 });
  });
});

describe('astra goal', () => {
  test('submit --wait ends 1 for a goal that fails, naming the task and the reason', async () => {
    const file = await planFile('fails.json', {
      tasks: [
        {
          id: 'boom',
          kind: 'tool',
          tool: 'code.javascript',
          input: { code: '() => { throw new Error("no") }' },
          retry: { maxAttempts: 1 },
        },
      ],
    });
    const { code, stdout } = await run(['goal', 'submit', file, '--objective', 'Fail', '--wait']);
    expect(code).toBe(1);
    expect(stdout).toContain('ASTRA_TASK_FAILED');
    expect(stdout).toMatch(/"boom" failed with ASTRA_TOOL_FAILED/);
  });

  test('watch ends 2 when somebody cancels the goal', async () => {
    const file = await planFile('waits.json', { tasks: [{ id: 'nap', kind: 'wait', seconds: 3_600 }] });
    const id = (await run(['goal', 'submit', file, '--objective', 'Wait'])).stdout.trim();
    const watching = run(['goal', 'watch', id]);
    await expect
      .poll(async () => runJson(['goal', 'get', id]), { timeout: 30_000 })
      .toMatchObject({ status: 'running' });
    expect((await run(['goal', 'cancel', id, '--reason', 'enough'])).code).toBe(0);
    expect((await watching).code).toBe(2);
    expect(await run(['goal', 'result', id])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('reason: enough') as unknown,
    });
    expect((await run(['goal', 'cancel', id])).stderr).toContain('ASTRA_GOAL_FINISHED');
  });

  test('send-event, events, graph, list and get show what happened', async () => {
    const file = await planFile('hook.json', {
      tasks: [{ id: 'hook', kind: 'wait', event: 'paid' }],
      output: '{{ tasks.hook.output }}',
    });
    const id = (
      await run(['goal', 'submit', file, '--objective', 'Be paid', '--label', `cli=${String(process.pid)}`])
    ).stdout.trim();
    expect((await run(['goal', 'send-event', id, 'paid', '--data', '{"usd":"2"}'])).code).toBe(0);
    expect(JSON.parse((await run(['goal', 'result', id])).stdout)).toEqual({ usd: '2' });
    const events = (await run(['goal', 'events', id, '--follow', '-o', 'json'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; type: string });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe('goal.completed');
    expect(await runJson(['goal', 'graph', id])).toMatchObject({ tasks: [{ id: 'hook', status: 'completed' }] });
    expect(await runJson(['goal', 'get', id])).toMatchObject({ id, status: 'completed' });
    const list = ['goal', 'list', '--label', `cli=${String(process.pid)}`, '--status', 'completed'];
    await expect.poll(() => runJson(list), { timeout: 30_000 }).toMatchObject({ items: [{ id }] });
  });

  test('submit ends 1 for a bad plan and points at every fault', async () => {
    const file = await planFile('bad.json', { tasks: [{ id: 'a', kind: 'tool', tool: 'no.such', after: ['b'] }] });
    const { code, stdout, stderr } = await run(['goal', 'submit', file, '--objective', 'x']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('ASTRA_PLAN_INVALID');
    expect(stderr).toContain('/plan/tasks/0/tool');
  });
});

test('astra approval list shows what waits, and decide lets it go on', async () => {
  const file = await planFile('ask.json', { tasks: [{ id: 'ok', kind: 'approval', prompt: 'Publish?' }] });
  const id = (await run(['goal', 'submit', file, '--objective', 'Ask'])).stdout.trim();
  const list = () => runJson(['approval', 'list', '--goal', id]) as Promise<{ items: { id: string }[] }>;
  await expect.poll(async () => (await list()).items.length, { timeout: 30_000 }).toBe(1);
  const [approval] = (await list()).items;
  expect(await run(['approval', 'decide', approval!.id, 'reject', '--comment', 'not yet'])).toMatchObject({
    code: 0,
    stdout: `${approval!.id} rejected\n`,
  });
  const result = await run(['goal', 'result', id]);
  expect(result.code).toBe(1);
  expect(result.stdout).toMatch(/rejected by .*: not yet/);
});

test('astra tool list, tool get and me answer', async () => {
  expect((await run(['tool', 'list'])).stdout).toContain('code.javascript');
  expect(JSON.parse((await run(['tool', 'get', 'http.fetch'])).stdout)).toMatchObject({ name: 'http.fetch' });
  expect(await runJson(['me'])).toMatchObject({ tenant: 'default' });
});

test('an unreachable API and a wrong token are told apart', async () => {
  const unreachable = await run(['me'], { ASTRA_API_URL: 'http://127.0.0.1:1' });
  expect(unreachable.code).toBe(3);
  expect(unreachable.stderr).toContain('ASTRA_CONNECTION');
  const refused = await run(['me'], { ASTRA_TOKEN: 'nonsense' });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('ASTRA_UNAUTHENTICATED');
  expect(refused.stderr).not.toContain('nonsense');
});
