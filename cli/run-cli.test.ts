import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { frame, goalId, goalView, graphView, progressFrame, taskView } from '../sdk/test-support/goal-samples.ts';
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
    expect(groups).toEqual(['goal', 'approval', 'template', 'tool', 'me']);
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
      'goal failed',
      'failed    List files (list): ASTRA_TOOL_FAILED exit code 1',
    ]);
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

describe('artifacts', () => {
  const artifact = (name: string, bytes: string, id = 'art_0123456789abcdef') => ({
    id,
    name,
    mediaType: 'text/plain',
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    goalId,
    taskId: 'render',
    createdAt: '2025-01-01T00:00:00.000Z',
  });
  const serve = (items: readonly object[], bytes: string) =>
    startScriptedServer(({ path }) =>
      path.endsWith('/content') ? (response) => response.end(bytes) : json({ items, nextCursor: null }),
    );

  test('are downloaded under safe names and their paths printed', async () => {
    const server = await serve(
      ['report.md', 'report.md', '../../etc/passwd', '.hidden'].map((name) => artifact(name, 'bytes')),
      'bytes',
    );
    const cwd = await temporaryDirectory();
    const { exitCode, stdout } = await runInProcess(server.url, ['goal', 'artifacts', goalId, '--download', 'out'], {
      cwd,
    });
    expect(exitCode).toBe(0);
    const names = ['report.md', 'report-2.md', '__.._etc_passwd', '_hidden'];
    expect(stdout.trimEnd().split('\n')).toEqual(names.map((name) => join(cwd, 'out', name)));
    expect((await readdir(join(cwd, 'out'))).toSorted()).toEqual(names.toSorted());
    expect(await readFile(join(cwd, 'out', 'report.md'), 'utf8')).toBe('bytes');
  });

  test('that arrive damaged are not kept', async () => {
    const server = await serve([artifact('report.md', 'bytes')], 'byt');
    const cwd = await temporaryDirectory();
    const { exitCode, stderr } = await runInProcess(server.url, ['goal', 'artifacts', goalId, '--download', 'out'], {
      cwd,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('arrived damaged');
    expect(await readdir(join(cwd, 'out'))).toEqual([]);
  });

  test('are listed', async () => {
    const server = await serve([artifact('report.md', 'bytes')], '');
    expect((await runInProcess(server.url, ['goal', 'artifacts', goalId])).stdout).toMatch(
      /art_0123456789abcdef {2}render {2}5 +text\/plain {2}report\.md/,
    );
  });
});

describe('approvals, templates, tools and me', () => {
  const approval = {
    id: 'apr_x.ok',
    kind: 'task',
    goalId,
    taskId: 'ok',
    prompt: 'Publish?',
    input: null,
    status: 'pending',
    required: 2,
    votes: [{ subject: 'a', decision: 'approved', comment: null, at: '2025-01-01T00:00:00.000Z' }],
    requestedAt: '2025-01-01T00:00:00.000Z',
    expiresAt: null,
  };

  test('an approval is listed and decided, with a comment and an edited input', async () => {
    const server = await startScriptedServer(({ method }) =>
      json(method === 'GET' ? { items: [approval], nextCursor: null } : approval),
    );
    const list = await runInProcess(server.url, ['approval', 'list']);
    expect(list.stdout).toContain('apr_x.ok  pending  1/2');
    expect(server.requests[0]?.query.toString()).toBe('status=pending');
    const args = ['approval', 'decide', 'apr_x.ok', 'approve', '--comment', 'fine', '--edit', '-'];
    const decided = await runInProcess(server.url, args, { stdin: '{"to":"b"}' });
    expect(decided.stdout).toBe('apr_x.ok pending: 1 more of 2 to approve\n');
    expect(server.requests[1]).toMatchObject({
      path: '/v1/approvals/apr_x.ok/decisions',
      body: { decision: 'approved', comment: 'fine', editedInput: { to: 'b' } },
    });
  });

  test('a template is applied under the name in its file', async () => {
    const server = await startScriptedServer(() => json({ name: 'greet' }));
    const template = JSON.stringify({
      name: 'greet',
      description: 'd',
      params: {},
      objective: 'o',
      plan: { tasks: [] },
    });
    expect(await runInProcess(server.url, ['template', 'apply', '-'], { stdin: template })).toMatchObject({
      exitCode: 0,
      stdout: 'greet applied\n',
    });
    expect(server.requests[0]).toMatchObject({ method: 'PUT', path: '/v1/templates/greet' });
    expect(await runInProcess(server.url, ['template', 'apply', '-'], { stdin: '{}' })).toMatchObject({ exitCode: 64 });
  });

  test('a goal is cancelled with a reason and gets events', async () => {
    const server = await startScriptedServer(() => json(goalView({ status: 'cancelling' }), 202));
    expect((await runInProcess(server.url, ['goal', 'cancel', goalId, '--reason', 'late'])).stdout).toBe(
      `${goalId} cancelling\n`,
    );
    await runInProcess(server.url, ['goal', 'send-event', goalId, 'paid', '--data', '{"usd":"1"}']);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      [`/v1/goals/${goalId}/cancel`, { reason: 'late' }],
      [`/v1/goals/${goalId}/events`, { name: 'paid', data: { usd: '1' } }],
    ]);
  });

  test('me says who the token is for', async () => {
    const server = await startScriptedServer(() => json({ subject: 'ann', tenant: 'default', scopes: ['admin'] }));
    expect((await runInProcess(server.url, ['me'])).stdout).toBe('ann of tenant default, may: admin\n');
  });
});
