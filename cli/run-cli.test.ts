import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  approvalView,
  frame,
  goalId,
  goalView,
  graphView,
  progressFrame,
  taskView,
} from '../sdk/test-support/goal-samples.ts';
import { drop, eventStream, inOrder, json, problem, startScriptedServer } from '../sdk/test-support/scripted-server.ts';
import { exitCodes } from './exit-codes.ts';
import { emulate } from './test-support/terminal-emulator.ts';
import { runInProcess } from './test-support/run-in-process.ts';

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'astra-cli-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

const completed = goalView({
  seq: 4,
  status: 'completed',
  finishedAt: '2025-01-01T00:00:12.000Z',
  output: { lines: 42 },
  progress: { total: 1, completed: 1, running: 0, failed: 0, skipped: 0, waiting: 0 },
});
const taskFailure = { code: 'ASTRA_TOOL_FAILED', message: 'exit code 1', retryable: true };
const goalFailure = { code: 'ASTRA_TASK_FAILED', message: 'The task list failed.', retryable: false };
const failed = goalView({ ...completed, status: 'failed', output: null, error: goalFailure });
const cancelled = goalView({ ...completed, status: 'cancelled', output: null });
const taskOf = (goal: typeof completed) =>
  taskView(goal.status === 'failed' ? { status: 'failed', error: taskFailure } : { status: 'completed' });

/** An API with one goal: running when first read, then a stream of its life, then ended. */
const oneGoal = (ended: typeof completed, frames: string[] = []) => {
  let over = false;
  return startScriptedServer(({ path, method }) => {
    if (method === 'POST') return json(goalView(), 202);
    if (path.endsWith('/events')) {
      over = true;
      return eventStream([...frames, frame(4, `goal.${ended.status}`)], 'close');
    }
    if (path.endsWith('/graph'))
      return json(graphView([over ? taskOf(ended) : taskView({ status: 'running' })], { seq: 4 }));
    if (path.endsWith('/result'))
      return json({ goalId, status: ended.status, output: ended.output, error: ended.error });
    return json(over ? ended : goalView());
  });
};

describe('the command line', () => {
  test('says its version', async () => {
    const { exitCode, stdout } = await runInProcess(null, ['--version']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as unknown,
    });
  });

  test('explains itself and its exit codes, without an API', async () => {
    const { exitCode, stdout } = await runInProcess(null, ['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('goal');
    expect(stdout).toContain('124  the goal had not ended in the time given');
  });

  test.each([
    [['goal', 'frobnicate'], 'unknown command'],
    [['goal', 'get'], 'missing required argument'],
    [['goal', 'list', '--limit', 'many'], 'whole number'],
    [['goal', 'submit'], 'Say what to submit'],
    [['goal', 'submit', '--objective', 'x', '--param', 'a=1'], '--template'],
    [['goal', 'submit', '/does/not/exist.json'], 'cannot be read'],
    [['goal', 'submit', '-'], 'standard input is not JSON'],
    [['approval', 'decide', 'apr_x', 'perhaps'], 'approve, reject'],
    [['me', '-o', 'yaml'], 'text, json'],
    [['me', '--api-url', 'localhost:8700'], 'absolute http'],
  ])('refuses %j with exit code 64, saying why', async (args, reason) => {
    const { exitCode, stdout, stderr } = await runInProcess('http://127.0.0.1:1', args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toContain(reason);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test('knows no API by itself', async () => {
    const { exitCode, stderr } = await runInProcess(null, ['me'], { cwd: await temporaryDirectory() });
    expect(exitCode).toBe(64);
    expect(stderr).toContain('npm start');
  });

  test('ends 3 and says what to do when nothing answers', async () => {
    const server = await startScriptedServer(() => drop);
    await server.close();
    const { exitCode, stderr } = await runInProcess(server.url, ['me']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('ASTRA_CONNECTION');
    expect(stderr).toContain('npm start');
    expect(stderr).not.toContain('secret');
  });

  test('ends 1 for a refusal and prints code, message, each pointer and the request', async () => {
    const errors = [
      { pointer: '/plan/tasks/1/after/0', message: 'unknown task "x"' },
      { pointer: '', message: 'too\u001B[2J big' },
    ];
    const server = await startScriptedServer(() =>
      problem(422, 'ASTRA_PLAN_INVALID', 'The plan has 2 faults.', { errors, requestId: 'req_7' }),
    );
    const { exitCode, stdout, stderr } = await runInProcess(server.url, ['goal', 'submit', '--objective', 'x']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      'error: ASTRA_PLAN_INVALID The plan has 2 faults.',
      '  /plan/tasks/1/after/0  unknown task "x"',
      '  /  too big',
      'request: req_7',
      '',
    ]);
    const asJson = await runInProcess(server.url, ['-o', 'json', 'goal', 'submit', '--objective', 'x']);
    expect(asJson.stdout).toBe('');
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'ASTRA_PLAN_INVALID', errors } });
  });

  test('colours only terminals, and none with NO_COLOR', async () => {
    const server = await startScriptedServer(() => problem(404, 'ASTRA_NOT_FOUND', 'none'));
    const terminal = { columns: 80, rows: 24 };
    expect((await runInProcess(server.url, ['me'])).stderr).not.toContain('\u001B[');
    expect((await runInProcess(server.url, ['me'], { terminal })).stderr).toContain('\u001B[31m');
    expect((await runInProcess(server.url, ['me'], { terminal, env: { NO_COLOR: '1' } })).stderr).not.toContain(
      '\u001B[',
    );
  });
});

describe('docs/guides/cli.md', () => {
  /** Without the spaces that align its tables. */
  const guide = async () =>
    (await readFile(join(import.meta.dirname, '../docs/guides/cli.md'), 'utf8')).replaceAll(/ +/g, ' ');
  const commandsIn = (help: string): string[] =>
    [...(help.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z][a-z-]*) /gm)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'help');

  test('shows every command', async () => {
    const text = await guide();
    const groups = commandsIn((await runInProcess(null, ['--help'])).stdout);
    const ofGoals = [
      'goal',
      'approval',
      'approval-policy',
      'budget',
      'task',
      'template',
      'schedule',
      'tool',
      'webhook',
      'inbound-webhook',
      'limit',
    ];
    expect(groups).toEqual([...ofGoals, 'me', 'token', 'retention', 'archive', 'subject', 'tenant']);
    for (const group of groups) {
      const commands = commandsIn((await runInProcess(null, [group, '--help'])).stdout);
      for (const command of commands) expect(text).toContain(`astra ${group} ${command}`);
    }
  });

  test('has the exit codes as --help has them', async () => {
    const { stdout } = await runInProcess(null, ['--help']);
    const codes = [...stdout.matchAll(/^ {2}(\d+) +(.*)$/gm)].map(([, code, meaning]) => `| ${code} | ${meaning} |`);
    expect(codes).toHaveLength(Object.keys(exitCodes).length);
    const text = await guide();
    for (const code of codes) expect(text).toContain(code);
  });
});

describe('submitting', () => {
  test('prints the id alone on standard output', async () => {
    const server = await startScriptedServer(() => json(goalView(), 202));
    const args = ['goal', 'submit', '--objective', 'count', '--label', 'team=a', '--priority', '1', '--input', 'n=3'];
    const { exitCode, stdout, stderr } = await runInProcess(server.url, args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${goalId}\n` });
    expect(stderr).toContain(`astra goal watch ${goalId}`);
    expect(server.requests[0]?.body).toEqual({
      objective: 'count',
      labels: { team: 'a' },
      priority: 1,
      input: { n: 3 },
    });
  });

  test('takes a goal or a plan from a file or standard input, overruled by the flags', async () => {
    const server = await startScriptedServer(() => json(goalView(), 202));
    const cwd = await temporaryDirectory();
    await writeFile(
      join(cwd, 'goal.json'),
      JSON.stringify({ objective: 'from the file', template: { name: 't', params: { a: 1, b: 1 } } }),
    );
    await runInProcess(server.url, ['goal', 'submit', 'goal.json', '--param', 'b=2', '--objective', 'mine'], { cwd });
    await runInProcess(server.url, ['goal', 'submit', '-'], { stdin: '{"tasks":[]}' });
    expect(server.requests.map(({ body }) => body)).toEqual([
      { objective: 'mine', template: { name: 't', params: { a: 1, b: 2 } } },
      { plan: { tasks: [] } },
    ]);
  });

  test('of a template reads parameters as JSON where they are JSON, else as text, and writes the id file', async () => {
    const server = await startScriptedServer(() => json(goalView(), 202));
    const cwd = await temporaryDirectory();
    await writeFile(join(cwd, 'params.json'), '{"depth":1,"keep":true}');
    const params = [
      '--param',
      'directory=/a=b',
      '--param',
      'depth=2',
      '--param',
      'id="7"',
      '--params-file',
      'params.json',
    ];
    const { exitCode } = await runInProcess(
      server.url,
      ['template', 'run', 'repo-report', ...params, '--id-file', 'goal-id'],
      { cwd },
    );
    expect(exitCode).toBe(0);
    expect(server.requests[0]?.body).toEqual({
      template: { name: 'repo-report', params: { directory: '/a=b', depth: 2, id: '7', keep: true } },
    });
    expect(await readFile(join(cwd, 'goal-id'), 'utf8')).toBe(`${goalId}\n`);
  });

  test('with --wait ends with the goal, its output and its exit code', async () => {
    const server = await startScriptedServer(({ path, method }) => {
      if (method === 'POST') return json(goalView(), 202);
      if (path.endsWith('/result')) return json({ goalId, status: 'completed', output: completed.output, error: null });
      return json(completed);
    });
    const { exitCode, stdout } = await runInProcess(server.url, ['goal', 'submit', '--objective', 'x', '--wait']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('completed in 12.0 s: 1 of 1 tasks completed');
    expect(stdout).toContain('"lines": 42');
  });
});

describe('watching', () => {
  test.each([
    [completed, 0],
    [failed, 1],
    [cancelled, 2],
  ])('a goal that ends says so by its exit code (%#)', async (ended, code) => {
    const server = await oneGoal(ended);
    const { exitCode, stdout } = await runInProcess(server.url, ['template', 'run', 'repo-report', '--watch']);
    expect(exitCode).toBe(code);
    expect(stdout).toContain(`goal ${ended.status}`);
  });

  test('prints a line for each change where there is no terminal', async () => {
    const server = await oneGoal(failed, [progressFrame(3, '1-0', 'not shown in logs')]);
    const { stdout } = await runInProcess(server.url, ['goal', 'watch', goalId]);
    const lines = stdout.split('\n').map((line) => line.replace(/^\[.*?\] /, ''));
    expect(lines.slice(0, 5)).toEqual([
      `Measure the repository  ${goalId}`,
      'goal running',
      'running   List files (list)',
      'failed    List files (list): ASTRA_TOOL_FAILED exit code 1',
      'goal failed',
    ]);
    expect(stdout).toContain('[  12.0 s] goal failed');
    expect(stdout).toContain('ASTRA_TASK_FAILED The task list failed.');
    expect(stdout).toContain(`astra goal graph ${goalId}`);
    expect(stdout).not.toContain('not shown in logs');
  });

  test('draws the tree with the last line of output on a terminal, in place, and gives the cursor back', async () => {
    const server = await oneGoal(completed, [progressFrame(3, '1-0', 'first\nsecond\u001B[2J line\n')]);
    const { exitCode, stdout } = await runInProcess(server.url, ['goal', 'watch', goalId], {
      terminal: { columns: 80, rows: 24 },
      env: { NO_COLOR: '1' },
    });
    expect(exitCode).toBe(0);
    expect(emulate(stdout).slice(0, 3)).toEqual([
      `Measure the repository  ${goalId}`,
      'completed  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 1/1  12.0 s',
      '✔ List files  list',
    ]);
    expect(stdout).not.toContain('\u001B[2J');
    expect(stdout.lastIndexOf('\u001B[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001B[?25l'));
  });

  test.each([undefined, { columns: 40, rows: 24 }])(
    'puts the question of an approval once, with the command that decides it whole (%#)',
    async (terminal) => {
      const approvalId = `apr_${goalId.slice(4)}.a-task-with-a-rather-long-name`;
      const waitingFor = { kind: 'approval', detail: approvalId, until: null } as const;
      const asking = taskView({ id: 'ask', title: 'ask', status: 'awaiting_approval', waitingFor });
      let over = false;
      const server = await startScriptedServer(({ path }) => {
        if (path.startsWith('/v1/approvals/')) {
          const input = { to: '\u009B2J' };
          return json(approvalView({ id: approvalId, prompt: 'Publish\u001B[2J it?', tool: 'mail.send', input }));
        }
        if (path.endsWith('/events')) {
          over = true;
          return eventStream([frame(4, 'goal.completed')], 'close');
        }
        if (path.endsWith('/graph'))
          return json(
            graphView([over ? taskView({ id: 'ask', title: 'ask', status: 'completed' }) : asking], { seq: 4 }),
          );
        return json(over ? completed : goalView());
      });
      const { stdout } = await runInProcess(server.url, ['goal', 'watch', goalId], terminal && { terminal });
      const about = 'mail.send {"to":"\\u009b2J"}';
      const question = `? Publish it?\n  ${about}\n  npx astra approval decide ${approvalId} approve|reject\n`;
      expect(stdout.split(question)).toHaveLength(2);
      if (!terminal) expect(stdout).toContain('] completed ask\n');
    },
  );

  test('of a failure says the message of the task that failed the goal once', async () => {
    const message = 'Task "list" failed with ASTRA_TOOL_FAILED: exit code 1';
    const server = await startScriptedServer(({ path, method }) => {
      const ended = { ...failed, error: { ...goalFailure, message } };
      if (method === 'POST') return json(goalView(), 202);
      return json(path.endsWith('/graph') ? graphView([taskOf(failed)], { seq: 4 }) : ended);
    });
    const { stdout } = await runInProcess(server.url, ['goal', 'submit', '--objective', 'x', '--wait']);
    expect(stdout.split('exit code 1')).toHaveLength(2);
  });

  test('keeps standard output for JSON with -o json', async () => {
    const server = await oneGoal(completed);
    const { stdout, stderr } = await runInProcess(server.url, ['goal', 'watch', goalId, '-o', 'json']);
    expect(JSON.parse(stdout)).toEqual(completed);
    expect(stderr).toContain('goal completed');
  });

  test('is left by Ctrl-C without harm to the goal', async () => {
    const abort = new AbortController();
    const server = await startScriptedServer(({ path }) => {
      if (path.endsWith('/events')) {
        setImmediate(() => abort.abort(new Error('interrupted')));
        return eventStream([], 'stay');
      }
      return json(path.endsWith('/graph') ? graphView([taskView({ status: 'running' })]) : goalView());
    });
    const { exitCode, stderr } = await runInProcess(server.url, ['goal', 'watch', goalId], { signal: abort.signal });
    expect(exitCode).toBe(130);
    expect(stderr).toContain(`astra goal watch ${goalId}`);
    expect(stderr).toContain(`astra goal cancel ${goalId}`);
    expect(server.requests.every(({ method }) => method === 'GET')).toBe(true);
  });
});

describe('reading', () => {
  test('lists goals as a table or as JSON, with filters, not more than asked for', async () => {
    const server = await startScriptedServer(() =>
      json({ items: [goalView(), goalView({ objective: 'other' })], nextCursor: 'more' }),
    );
    const args = ['goal', 'list', '--status', 'running,failed', '--label', 'team=a', '--limit', '2'];
    const { stdout } = await runInProcess(server.url, args);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).at(-1))).toEqual([
      'OBJECTIVE',
      'Measure the repository',
      'other',
      '',
    ]);
    expect(server.requests.map(({ query }) => query.toString())).toEqual([
      'limit=2&status=running%2Cfailed&label=team%3Aa',
    ]);
    const asJson = await runInProcess(server.url, [...args, '-o', 'json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ items: [{ id: goalId }, { objective: 'other' }] });
  });

  test('lists goals on 80 columns with the id whole and room for the objective', async () => {
    const id = `gol_${'0'.repeat(30)}` as typeof goalId;
    const server = await startScriptedServer(() => json({ items: [goalView({ id })], nextCursor: null }));
    const { stdout } = await runInProcess(server.url, ['goal', 'list'], { terminal: { columns: 80, rows: 24 } });
    expect(stdout).toMatch(new RegExp(`^${id}  running  0/1 {4}Jan 01 {3}Measure the re`, 'm'));
  });

  test('says what people said who rejected or cancelled the goal', async () => {
    const vote = { subject: 'ann', decision: 'rejected', comment: 'not yet', at: '2025-01-01T00:00:00.000Z' };
    const server = await startScriptedServer(({ path }) => {
      if (path === '/v1/approvals') return json({ items: [{ votes: [vote] }], nextCursor: null });
      return json(path.endsWith('/result') ? { status: 'failed', error: goalFailure } : failed);
    });
    const told = 'rejected by ann: not yet';
    expect((await runInProcess(server.url, ['goal', 'get', goalId])).stdout).toContain(told);
    expect((await runInProcess(server.url, ['goal', 'result', goalId])).stdout).toContain(told);
    const late = await startScriptedServer(({ path }) =>
      path.endsWith('/events')
        ? eventStream([frame(4, 'goal.cancelled', { reason: 'too late' })], 'close')
        : json(path.endsWith('/result') ? { status: 'cancelled', error: null } : cancelled),
    );
    expect((await runInProcess(late.url, ['goal', 'get', goalId])).stdout).toContain('reason: too late');
    expect((await runInProcess(late.url, ['goal', 'result', goalId])).stdout).toBe('cancelled\nreason: too late\n');
  });

  test('shows a goal all the same when its approvals may not be read', async () => {
    const server = await startScriptedServer(({ path }) =>
      path === '/v1/approvals' ? problem(403, 'ASTRA_FORBIDDEN', 'no') : json(failed),
    );
    expect((await runInProcess(server.url, ['goal', 'get', goalId])).stdout).toContain('ASTRA_TASK_FAILED');
  });

  test('prints a goal, its graph and its events', async () => {
    const tasks = [taskView({ status: 'completed' }), taskView({ id: 'sum', title: 'Sum up', after: ['list'] })];
    const event = {
      goalId,
      seq: 1,
      type: 'task.completed',
      taskId: 'list',
      attempt: 1,
      at: '2025-01-01T00:00:00.000Z',
      data: { output: 1 },
    };
    const server = await startScriptedServer(({ path }) => {
      if (path === '/v1/approvals') return json({ items: [], nextCursor: null });
      if (path.endsWith('/events')) return json({ items: [event, { ...event, seq: 2 }], nextCursor: null });
      return json(path.endsWith('/graph') ? graphView(tasks) : failed);
    });
    expect((await runInProcess(server.url, ['goal', 'get', goalId])).stdout).toContain(
      'ASTRA_TASK_FAILED The task list failed.',
    );
    expect((await runInProcess(server.url, ['goal', 'graph', goalId])).stdout).toContain(
      '✔ List files  list\n  · Sum up  sum\n',
    );
    const events = await runInProcess(server.url, ['goal', 'events', goalId, '--from', '2', '-o', 'json']);
    expect(
      events.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([{ ...event, seq: 2 }]);
    expect((await runInProcess(server.url, ['goal', 'events', goalId])).stdout).toContain(
      '1 2025-01-01T00:00:00.000Z task.completed list {"output":1}',
    );
  });

  test('prints the result with the exit code of the goal, and 124 when it takes too long', async () => {
    const server = await startScriptedServer(
      inOrder(
        json({ status: 'completed', output: [1, 2], error: null }),
        json({ status: 'failed', error: taskFailure }),
        json({ items: [], nextCursor: null }),
        json({ status: 'running' }, 202),
      ),
    );
    expect(await runInProcess(server.url, ['goal', 'result', goalId])).toMatchObject({
      exitCode: 0,
      stdout: '[\n  1,\n  2\n]\n',
    });
    expect(await runInProcess(server.url, ['goal', 'result', goalId])).toMatchObject({
      exitCode: 1,
      stdout: 'failed: ASTRA_TOOL_FAILED exit code 1\n',
    });
    const slow = await startScriptedServer(() => json({ status: 'running' }, 202));
    expect(await runInProcess(slow.url, ['goal', 'result', goalId, '--timeout', '1'])).toMatchObject({
      exitCode: 124,
      stdout: '',
    });
  });
});
