import { describe, expect, test } from 'vitest';
import { goalId, goalView } from '../sdk/test-support/goal-samples.ts';
import { json, startScriptedServer } from '../sdk/test-support/scripted-server.ts';
import { runInProcess } from './test-support/run-in-process.ts';

const schedule = {
  name: 'nightly',
  cron: '0 3 * * *',
  everySeconds: null,
  jitterSeconds: 30,
  overlap: 'skip',
  timezone: 'Europe/Berlin',
  goal: { objective: 'x' },
  paused: false,
  note: null,
  nextRuns: ['2026-01-02T02:00:00.000Z'],
  recentRuns: [{ goalId, scheduledAt: '2026-01-01T02:00:00.000Z', startedAt: '2026-01-01T02:00:01.000Z' }],
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: null,
};

describe('astra goal', () => {
  test('submit takes when a goal begins, what it waits for and with which it belongs', async () => {
    const server = await startScriptedServer(() => json(goalView(), 202));
    const when = ['--start-at', '2026-12-24T18:00:00Z', '--depends-on', 'gol_a', '--depends-on', 'gol_b'];
    await runInProcess(server.url, ['goal', 'submit', '--objective', 'x', ...when, '--cascade', 'night']);
    await runInProcess(server.url, ['goal', 'submit', '--objective', 'x', '--delay', '60']);
    expect(server.requests.map(({ body }) => body)).toEqual([
      {
        objective: 'x',
        startAt: '2026-12-24T18:00:00Z',
        dependsOnGoalIds: ['gol_a', 'gol_b'],
        cascadeId: 'night',
      },
      { objective: 'x', delaySeconds: 60 },
    ]);
  });

  test('submit says who mends the plan when a task fails, and get how often it has', async () => {
    const server = await startScriptedServer(({ method }) =>
      method === 'POST' ? json(goalView(), 202) : json(goalView({ replans: { used: 1, limit: 3 } })),
    );
    const flags = ['--replan', 'mender', '--max-replans', '5'];
    await runInProcess(server.url, ['goal', 'submit', '--objective', 'x', ...flags]);
    await runInProcess(server.url, ['template', 'run', 'report', '--replan']);
    expect(server.requests.map(({ body }) => body)).toMatchObject([
      { objective: 'x', onTaskFailure: 'replan', planner: 'mender', maxReplans: 5 },
      { template: { name: 'report' }, onTaskFailure: 'replan' },
    ]);
    const { stdout } = await runInProcess(server.url, ['goal', 'get', goalId]);
    expect(stdout).toContain('  replans   1 of 3');
  });

  test('amend asks people first, as the file says', async () => {
    const diff = { added: ['more'], removed: [], replaced: [], kept: ['a'] };
    const preview = { diff, estimate: { usd: '0', seconds: 2 } };
    const server = await startScriptedServer(() => json({ goalId, approvalId: 'apr_x.01', ...preview }, 202));
    const change = { baseRevision: 1, remove: ['a'] };
    const amend = (body: object, ...flags: string[]) =>
      runInProcess(server.url, ['goal', 'amend', goalId, '-', ...flags], { stdin: JSON.stringify(body) });
    const { stdout, stderr } = await amend(change, '--approval');
    expect(stdout).toBe('+ more\n1 task kept\nabout 2 s and 0 USD\napr_x.01\n');
    expect(stderr).toContain('approval decide apr_x.01');
    await amend({ ...change, approval: { required: 2 } });
    expect(server.requests.map(({ body }) => body)).toEqual([
      change,
      { ...change, approval: {} },
      change,
      { ...change, approval: { required: 2 } },
    ]);
  });

  test('get says what a goal waits for', async () => {
    const waitingFor = { kind: 'timer', detail: 'startAt', until: '2026-12-24T18:00:00.000Z' } as const;
    const server = await startScriptedServer(() =>
      json(goalView({ status: 'accepted', waitingFor, cascadeId: 'night' })),
    );
    const { stdout } = await runInProcess(server.url, ['goal', 'get', goalId]);
    expect(stdout).toContain('  waits     timer 2026-12-24T18:00:00.000Z');
    expect(stdout).toContain('  cascade   night');
  });

  test('cancel takes a goal or a cascade, not both', async () => {
    const server = await startScriptedServer(() => json({ cascadeId: 'night', cancelling: 3 }, 202));
    const run = await runInProcess(server.url, ['goal', 'cancel', '--cascade', 'night', '--reason', 'late']);
    expect(run).toMatchObject({ exitCode: 0, stdout: '3 goals of night are told to stop\n' });
    expect(server.requests[0]).toMatchObject({
      path: '/v1/goals:cancel',
      body: { cascadeId: 'night', reason: 'late' },
    });
    expect((await runInProcess(server.url, ['goal', 'cancel'])).exitCode).toBe(64);
    expect((await runInProcess(server.url, ['goal', 'cancel', goalId, '--cascade', 'night'])).exitCode).toBe(64);
  });

  test('submit-batch prints an id a line, and says which goals were refused', async () => {
    const results = [
      { index: 0, status: 202, goal: goalView() },
      { index: 1, status: 422, problem: { code: 'ASTRA_PLAN_INVALID', errors: [{ pointer: '/plan', message: 'no' }] } },
    ];
    const server = await startScriptedServer(() => (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.end(results.map((result) => `${JSON.stringify(result)}\n`).join(''));
    });
    const stdin = '{"objective":"x"}\n\n{"tasks":[]}\n';
    const run = await runInProcess(server.url, ['goal', 'submit-batch', '-', '--idempotency-key', 'k'], { stdin });
    expect(run).toMatchObject({ exitCode: 1, stdout: `${goalId}\n` });
    expect(run.stderr).toContain('goal 2: ASTRA_PLAN_INVALID /plan no');
    expect(server.requests[0]?.body).toEqual([
      { objective: 'x', idempotencyKey: 'k/0' },
      { plan: { tasks: [] }, idempotencyKey: 'k/1' },
    ]);
    expect((await runInProcess(server.url, ['goal', 'submit-batch', '-'], { stdin: 'no' })).exitCode).toBe(64);
  });
});

describe('astra schedule', () => {
  test('list and get show when it runs and what it has run', async () => {
    const server = await startScriptedServer(({ path }) =>
      json(path === '/v1/schedules' ? { items: [schedule], nextCursor: null } : schedule),
    );
    const list = await runInProcess(server.url, ['schedule', 'list']);
    expect(list.stdout).toMatch(/nightly {2}0 3 \* \* \* Europe\/Berlin {2}skip/);
    const { stdout } = await runInProcess(server.url, ['schedule', 'get', 'nightly']);
    expect(stdout).toBe(
      [
        'nightly  0 3 * * * Europe/Berlin',
        '  overlap   skip, up to 30 s late',
        '  next      2026-01-02T02:00:00.000Z',
        `  ran       2026-01-01T02:00:00.000Z ${goalId}`,
        '',
      ].join('\n'),
    );
  });

  test('create, pause, resume, trigger, backfill and delete say to the API what is wanted', async () => {
    const server = await startScriptedServer(({ path, method }) => {
      if (method === 'DELETE') return (response) => response.writeHead(204).end();
      return json(path.endsWith('/backfill') ? { times: ['2026-01-01T02:00:00.000Z'] } : schedule);
    });
    const run = async (...args: string[]) =>
      runInProcess(server.url, ['schedule', ...args], { stdin: '{"name":"nightly"}' });
    await run('create', '-');
    await run('create', '-', '--replace');
    expect((await run('pause', 'nightly', '--reason', 'holiday')).exitCode).toBe(0);
    expect((await run('resume', 'nightly')).stdout).toBe('nightly goes on\n');
    await run('trigger', 'nightly');
    const range = ['--from', '2026-01-01T00:00:00Z', '--to', '2026-01-02T00:00:00Z'];
    expect((await run('backfill', 'nightly', ...range, '--dry-run')).stdout).toBe('2026-01-01T02:00:00.000Z\n');
    expect((await run('delete', 'nightly')).stdout).toBe('nightly deleted\n');
    expect(server.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`.trim())).toEqual([
      'POST /v1/schedules',
      'PUT /v1/schedules/nightly',
      'POST /v1/schedules/nightly/pause',
      'POST /v1/schedules/nightly/resume',
      'POST /v1/schedules/nightly/trigger',
      'POST /v1/schedules/nightly/backfill dryRun=true',
      'DELETE /v1/schedules/nightly',
    ]);
    expect(server.requests[2]?.body).toEqual({ reason: 'holiday' });
    expect(server.requests[4]?.headers['idempotency-key']).toMatch(/^[\w-]{36}$/);
  });
});
