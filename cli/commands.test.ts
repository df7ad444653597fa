import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { approvalView, goalId, goalView } from '../sdk/test-support/goal-samples.ts';
import { json, startScriptedServer } from '../sdk/test-support/scripted-server.ts';
import { runInProcess } from './test-support/run-in-process.ts';

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'astra-cli-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

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
  const at = '2025-01-01T00:00:00.000Z';
  const approval = approvalView({
    input: { to: 'a' },
    required: 2,
    votes: [{ subject: 'a', decision: 'approved', comment: null, at }],
  });

  test('an approval is listed and decided, with a comment and an edited input', async () => {
    const server = await startScriptedServer(({ method }) =>
      json(method === 'GET' ? { items: [approval], nextCursor: null } : approval),
    );
    const list = await runInProcess(server.url, ['approval', 'list']);
    expect(list.stdout).toContain('Publish? {"to":"a"}');
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

  test('an approval is shown with its input, its votes and how to decide it', async () => {
    const server = await startScriptedServer(() => json(approval));
    const { stdout, stderr } = await runInProcess(server.url, ['approval', 'get', 'apr_x.ok']);
    expect(stdout).toBe(
      [
        'Publish?',
        '  status    pending, needs 2 to approve',
        `  goal      ${goalId}`,
        '  approved  2025-01-01T00:00:00.000Z by a',
        'input:',
        '{',
        '  "to": "a"',
        '}',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain('npx astra approval decide apr_x.ok approve|reject');
  });

  test('a risky call is shown with its tool, who may decide it and what was made of it', async () => {
    const risky = approvalView({
      kind: 'risky_task',
      prompt: 'May "mail" call mail.send 3 times?',
      agentId: 'clerk',
      tool: 'mail.send',
      map: { items: 3, sample: [{ to: 'a' }] },
      deciders: { subjects: ['ann'], scopes: ['finance'] },
      delegations: [{ from: 'ann', to: 'bob', comment: 'away', at }],
      expiresAt: at,
      editedInput: { to: 'b' },
    });
    const server = await startScriptedServer(() => json(risky));
    const { stdout } = await runInProcess(server.url, ['approval', 'get', 'apr_x.ok']);
    expect(stdout.split('\n').slice(0, 8)).toEqual([
      'May "mail" call mail.send 3 times?',
      '  status    pending, needs 1 to approve',
      `  goal      ${goalId}`,
      '  agent     clerk',
      '  tool      mail.send, 3 times',
      '  deciders  ann, scope finance',
      `  expires   ${at}, then rejected`,
      `  delegated ${at} by ann to bob: away`,
    ]);
    expect(stdout).toContain('inputs, the first of them:\n[\n');
    expect(stdout).toContain('edited input:\n{\n  "to": "b"');
    const list = await startScriptedServer(() => json({ items: [risky], nextCursor: null }));
    expect((await runInProcess(list.url, ['approval', 'list'])).stdout).toContain(
      'mail.send 3 times, such as {"to":"a"}',
    );
  });

  test('a vote is passed on', async () => {
    const server = await startScriptedServer(() => json(approval));
    const args = ['approval', 'delegate', 'apr_x.ok', 'bob', '--comment', 'away'];
    expect((await runInProcess(server.url, args)).stdout).toBe('apr_x.ok: bob has your vote\n');
    expect(server.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/approvals/apr_x.ok/delegations',
      body: { to: 'bob', comment: 'away' },
    });
  });

  test('approval policies are shown, and replaced by those of a file', async () => {
    const rules = [
      { tool: 'shell.*', agentId: 'clerk', decision: 'deny' },
      { tool: '*', risk: 'high', decision: 'ask', required: 2, deciders: { scopes: ['finance'] }, expiresSeconds: 60 },
    ];
    const policies = { rules, updatedAt: at, updatedBy: 'ann' };
    const server = await startScriptedServer(() => json(policies));
    const { stdout } = await runInProcess(server.url, ['approval-policy', 'get']);
    expect(stdout).toMatch(/^TOOL +AGENT +RISK +DECISION +HOW\nshell[.][*] +clerk +any +deny/);
    expect(stdout).toMatch(/[*] +any +high +ask +2 to approve of scope finance within 60 s, else reject/);
    const stdin = JSON.stringify(policies);
    await runInProcess(server.url, ['approval-policy', 'set', '-'], { stdin });
    expect(server.requests[1]).toMatchObject({ method: 'PUT', path: '/v1/approval-policies', body: { rules } });
    const wrong = await runInProcess(server.url, ['approval-policy', 'set', '-'], { stdin: '{}' });
    expect(wrong).toMatchObject({ exitCode: 64, stderr: expect.stringContaining('must have "rules"') as string });
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

  test('a goal is paused as asked, and resumed', async () => {
    const pause = {
      by: 'parent',
      running: 'hold',
      shiftDeadlines: true,
      reason: 'lunch',
      since: '2025-01-01T00:00:00Z',
    };
    const server = await startScriptedServer(() => json({ ...goalView({ status: 'paused' }), pause }, 202));
    const flags = ['--hold', '--shift-deadlines', '--reason', 'lunch'];
    expect((await runInProcess(server.url, ['goal', 'pause', goalId, ...flags])).stdout).toBe(`${goalId} paused\n`);
    expect((await runInProcess(server.url, ['goal', 'resume', goalId])).stdout).toBe(
      `${goalId} paused with the goal above it\n`,
    );
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      [`/v1/goals/${goalId}/pause`, { running: 'hold', shiftDeadlines: true, reason: 'lunch' }],
      [`/v1/goals/${goalId}/resume`, {}],
    ]);
  });

  test('a goal is cancelled with a reason and gets events', async () => {
    const server = await startScriptedServer(() => json(goalView({ status: 'cancelling' }), 202));
    expect((await runInProcess(server.url, ['goal', 'cancel', goalId, '--reason', 'late'])).stdout).toBe(
      `${goalId} cancelling\n`,
    );
    await runInProcess(server.url, ['goal', 'cancel', goalId, '--compensate']);
    await runInProcess(server.url, ['goal', 'send-event', goalId, 'paid', '--data', '{"usd":"1"}']);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      [`/v1/goals/${goalId}/cancel`, { reason: 'late' }],
      [`/v1/goals/${goalId}/cancel`, { compensate: true }],
      [`/v1/goals/${goalId}/events`, { name: 'paid', data: { usd: '1' } }],
    ]);
  });

  test('a limit is set, shown with what it holds, listed and deleted', async () => {
    const limit = {
      name: 'per-customer',
      key: 'goal.labels.customer',
      concurrency: 2,
      rate: { limit: 10, perSeconds: 60 },
      strategy: 'queue',
      holding: 2,
      waiting: 7,
      updatedAt: '2025-01-01T00:00:00.000Z',
    };
    const server = await startScriptedServer(({ method, path }) => {
      if (method === 'DELETE') return (response) => response.writeHead(204).end();
      return json(path === '/v1/limits' ? { items: [limit], nextCursor: null } : limit);
    });
    const set = [
      'limit',
      'set',
      'per-customer',
      '--key',
      'goal.labels.customer',
      '--concurrency',
      '2',
      '--rate',
      '10/60',
    ];
    expect((await runInProcess(server.url, set)).stdout).toBe('per-customer set: 2 at once, 10 in 60 s\n');
    expect(server.requests[0]).toMatchObject({
      method: 'PUT',
      path: '/v1/limits/per-customer',
      body: { key: 'goal.labels.customer', concurrency: 2, rate: { limit: 10, perSeconds: 60 }, strategy: 'queue' },
    });
    expect((await runInProcess(server.url, ['limit', 'get', 'per-customer'])).stdout).toContain('waiting   7');
    expect((await runInProcess(server.url, ['limit', 'list'])).stdout).toMatch(
      /per-customer {2}goal {2}2 at once, 10 in 60 s {2}queue {5}2 {8}7 {8}goal\.labels\.customer/,
    );
    expect((await runInProcess(server.url, ['limit', 'delete', 'per-customer'])).stdout).toBe('per-customer deleted\n');
    expect((await runInProcess(server.url, [...set.slice(0, -1), 'ten a minute'])).exitCode).toBe(64);
  });

  test('me says who the token is for', async () => {
    const server = await startScriptedServer(() => json({ subject: 'ann', tenant: 'default', scopes: ['admin'] }));
    expect((await runInProcess(server.url, ['me'])).stdout).toBe('ann of tenant default, may: admin\n');
  });

  test('a token is revoked: the one in use, or one that is in no command line', async () => {
    const server = await startScriptedServer(() => (response) => response.writeHead(204).end());
    expect((await runInProcess(server.url, ['token', 'revoke'])).stdout).toBe('revoked the token in use\n');
    expect((await runInProcess(server.url, ['token', 'revoke', '-'], { stdin: 'lost\n' })).stdout).toBe('revoked\n');
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/v1/tokens:revoke', undefined],
      ['/v1/tokens:revoke', { token: 'lost' }],
    ]);
    expect((await runInProcess(server.url, ['token', 'revoke', '-'], { stdin: '\n' })).exitCode).toBe(64);
  });
});
