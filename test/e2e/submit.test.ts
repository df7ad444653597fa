import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { errorRegistry } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { malformedSubmissions } from '../../domain/plan-validation/malformed-plans.ts';
import { finishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, goalOf } from '../support/e2e/tasks.ts';
import { connectTemporal, type Temporal } from '../support/e2e/temporal.ts';
import { until } from '../support/until.ts';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly id?: string;
    readonly code?: string;
    readonly detail?: string;
    readonly errors?: readonly { readonly pointer: string; readonly message: string }[];
  };
}

let system: System;
let temporal: Temporal;
let pool: Pool;
beforeAll(async () => {
  system = await startSystem();
  temporal = await connectTemporal(system.env);
  pool = new Pool({ connectionString: system.env['DATABASE_URL'] });
});
afterAll(async () => {
  await pool.end();
  await temporal[Symbol.asyncDispose]();
  await system.stop();
});

const good = goalOf([echo('a', 1)]);
const json = { 'content-type': 'application/json' };

type Init = Omit<RequestInit, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>;
  readonly as?: string | null;
};

async function send(method: string, path: string, init: Init = {}): Promise<Answer> {
  const response = await system.fetch(path, { method, ...init });
  const text = await response.text();
  const body = text === '' ? {} : (JSON.parse(text) as Answer['body']);
  return { status: response.status, headers: response.headers, body };
}
const post = (body: unknown, init: Init = {}): Promise<Answer> =>
  send('POST', '/v1/goals', { body: JSON.stringify(body), ...init, headers: { ...json, ...init.headers } });

/** A tenant of the test's own: whatever is there of it, the test has started. */
async function newTenant() {
  const tenant = `t-${crypto.randomUUID()}`;
  return {
    token: await system.tokenFor({ tenant }),
    client: await system.clientFor({ tenant }),
    executions: () => temporal.count(`AstraTenant = "${tenant}"`),
    async rows(): Promise<number> {
      const { rows } = await pool.query<{ count: string }>('SELECT count(*) FROM goals WHERE tenant = $1', [tenant]);
      return Number(rows[0]?.count);
    },
  };
}

test('every malformed body is refused with its code and pointer, and starts nothing', async () => {
  const { token, client, executions, rows } = await newTenant();
  expect(malformedSubmissions.length).toBeGreaterThanOrEqual(40);
  for (const { name, body, code, pointer } of malformedSubmissions) {
    const answer = await post(body, { as: token });
    expect
      .soft({ code: answer.body.code, status: answer.status }, name)
      .toEqual({ code, status: errorRegistry[code].status });
    expect.soft(answer.headers.get('content-type'), name).toBe('application/problem+json');
    expect
      .soft(
        answer.body.errors?.map((fault) => fault.pointer),
        name,
      )
      .toContain(pointer);
  }
  // Temporal's index lags: once it shows a goal that was started after them, it would show theirs.
  const { id } = await client.goals.submit(good);
  await finishedGoal(client, id);
  await until(async () => (await executions()) > 0, 'Temporal lists the goal that was well-formed');
  expect(await executions()).toBe(1);
  expect(await rows()).toBe(1);
});

describe('a request that is no submission at all', () => {
  test('is told what is wrong with it', async () => {
    const text = (body: string, type: string | null = 'application/json') =>
      send('POST', '/v1/goals', {
        body: new TextEncoder().encode(body),
        headers: type === null ? {} : { 'content-type': type },
      });
    expect(await text('{"objective": "x"')).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '' }] },
    });
    expect(await text('')).toMatchObject({ status: 422, body: { code: 'ASTRA_BODY_INVALID' } });
    expect(await text('null')).toMatchObject({ status: 422, body: { code: 'ASTRA_BODY_INVALID' } });
    for (const type of ['text/plain', 'application/xml', null]) {
      expect(await text(JSON.stringify(good), type)).toMatchObject({
        status: 415,
        body: { code: 'ASTRA_MEDIA_TYPE_UNSUPPORTED' },
      });
    }
    expect((await text(JSON.stringify(good), 'application/json; charset=utf-8')).status).toBe(202);
  });

  test('is refused when it is larger than 1 MiB, whether it says so or not', async () => {
    const body = JSON.stringify(goalOf([echo('a', 'x'.repeat(limits.goalBodyBytes))]));
    const tooLarge = { status: 413, body: { code: 'ASTRA_BODY_TOO_LARGE' } };
    expect(await send('POST', '/v1/goals', { body, headers: json })).toMatchObject(tooLarge);
    const stream = new Blob([body]).stream();
    const streamed: Init = { body: stream, duplex: 'half', headers: json };
    expect(await send('POST', '/v1/goals', streamed)).toMatchObject(tooLarge);
    const largest = goalOf([echo('a', 'x'.repeat(limits.goalBodyBytes - 1_000))]);
    expect((await post(largest)).status).toBe(202);
  });

  test('is refused when a parameter is unknown or wrong', async () => {
    const refused = (pointer: string) => ({
      status: 400,
      body: { code: 'ASTRA_PARAMETER_INVALID', errors: [{ pointer }] },
    });
    expect(await post(good, {})).toMatchObject({ status: 202 });
    expect(await send('POST', '/v1/goals?dryRun=1', { body: JSON.stringify(good), headers: json })).toMatchObject(
      refused('/dryRun'),
    );
    expect(await send('GET', '/v1/goals?stauts=failed')).toMatchObject(refused('/stauts'));
    expect(await send('GET', '/v1/goals?status=broken')).toMatchObject(refused('/status/0'));
    expect(await send('GET', '/v1/goals?limit=0')).toMatchObject(refused('/limit'));
    expect(await send('GET', '/v1/goals?limit=501')).toMatchObject(refused('/limit'));
    expect(await send('GET', '/v1/goals?cursor=xyz')).toMatchObject({ status: 400 });
    for (const id of ['x', 'gol_', 'gol_short', `gol_${'x'.repeat(41)}`, 'gol_0123456789012345%00']) {
      for (const path of ['', '/graph', '/events', '/result', '/tasks/a']) {
        expect(await send('GET', `/v1/goals/${id}${path}`), id + path).toMatchObject(refused('/goalId'));
      }
      expect(await send('POST', `/v1/goals/${id}/cancel`), id).toMatchObject(refused('/goalId'));
    }
    expect((await post(good, { headers: { 'idempotency-key': 'k'.repeat(256) } })).status).toBe(400);
  });

  test('is refused when the resource has no such method, or there is no such resource', async () => {
    const wrong = await send('DELETE', '/v1/goals');
    expect(wrong).toMatchObject({ status: 405, body: { code: 'ASTRA_METHOD_NOT_ALLOWED' } });
    expect(wrong.headers.get('allow')).toContain('POST');
    expect(await send('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'ASTRA_NOT_FOUND' } });
    const unknown = 'gol_0000000000000000000000';
    for (const path of ['', '/graph', '/events', '/result', '/tasks/a', '/artifacts']) {
      expect(await send('GET', `/v1/goals/${unknown}${path}`), path).toMatchObject({
        status: 404,
        body: { code: 'ASTRA_NOT_FOUND' },
      });
    }
  });
});

describe('who may do what', () => {
  test('no token, or one that is not accepted, is unauthenticated', async () => {
    const body = JSON.stringify(good);
    for (const as of [null, 'nonsense', `${system.token}x`, system.token.split('.').slice(0, 2).join('.')]) {
      for (const answer of [
        await send('POST', '/v1/goals', { body, headers: json, as }),
        await send('GET', '/v1/goals', { as }),
      ]) {
        expect(answer).toMatchObject({ status: 401, body: { code: 'ASTRA_UNAUTHENTICATED' } });
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      }
    }
  });

  test('a token without the scope is forbidden, and starts nothing', async () => {
    const tenant = `t-${crypto.randomUUID()}`;
    const reader = await system.tokenFor({ tenant, scope: 'goals:read' });
    const writer = await system.tokenFor({ tenant, scope: 'goals:write' });
    const forbidden = { status: 403, body: { code: 'ASTRA_FORBIDDEN' } };
    expect(await post(good, { as: reader })).toMatchObject(forbidden);
    expect((await post(good, { as: reader })).body.detail).toContain('goals:write');
    const { id } = (await post(good, { as: writer })).body;
    expect(await send('GET', `/v1/goals/${id}`, { as: writer })).toMatchObject(forbidden);
    expect(await send('POST', `/v1/goals/${id}/cancel`, { as: reader })).toMatchObject(forbidden);
    expect(await send('GET', `/v1/goals/${id}`, { as: reader })).toMatchObject({ status: 200, body: { id } });
  });

  test('a goal of another tenant does not exist', async () => {
    const { id } = (await post(good)).body;
    await finishedGoal(system.astra, id!);
    const { token, client } = await newTenant();
    for (const path of ['', '/graph', '/events', '/result', '/tasks/a', '/artifacts']) {
      expect(await send('GET', `/v1/goals/${id}${path}`, { as: token }), path).toMatchObject({ status: 404 });
    }
    for (const path of ['/cancel', '/events']) {
      const init = { as: token, body: JSON.stringify(path === '/events' ? { name: 'x' } : {}), headers: json };
      expect(await send('POST', `/v1/goals/${id}${path}`, init), path).toMatchObject({ status: 404 });
    }
    expect((await client.goals.list()).items).toEqual([]);
  });
});

describe('an idempotency key', () => {
  const keyed = (body: unknown, key: string, as?: string): Promise<Answer> =>
    post(body, { headers: { 'idempotency-key': key }, ...(as === undefined ? {} : { as }) });

  test('gives the same goal for the same body, however it is written, and refuses another', async () => {
    const key = crypto.randomUUID();
    const first = await keyed(good, key);
    expect(first.status).toBe(202);
    expect(first.headers.get('location')).toBe(`${system.apiUrl}/v1/goals/${first.body.id}`);
    const again = await keyed(good, key);
    expect({ status: again.status, id: again.body.id }).toEqual({ status: 200, id: first.body.id });
    const { objective, plan } = good;
    expect(await keyed({ plan, objective }, key)).toMatchObject({ status: 200, body: { id: first.body.id } });
    const conflict = { status: 409, body: { code: 'ASTRA_IDEMPOTENCY_CONFLICT' } };
    expect(await keyed({ ...good, priority: 1 }, key)).toMatchObject(conflict);
    await finishedGoal(system.astra, first.body.id!);
    expect(await keyed(good, key)).toMatchObject({ status: 200, body: { id: first.body.id, status: 'completed' } });
    expect(await keyed({ ...good, objective: 'other' }, key)).toMatchObject(conflict);
  });

  test('is a tenant’s own', async () => {
    const key = crypto.randomUUID();
    const { token } = await newTenant();
    const mine = await keyed(good, key);
    const theirs = await keyed({ ...good, objective: 'other' }, key, token);
    expect([mine.status, theirs.status]).toEqual([202, 202]);
    expect(theirs.body.id).not.toBe(mine.body.id);
  });

  test('starts one goal however many use it at once', async () => {
    const { token, executions, rows, client } = await newTenant();
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => keyed(good, key, token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 19 }, () => 200), 202]);
    const ids = new Set(answers.map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    await finishedGoal(client, answers[0]!.body.id!);
    await until(async () => (await executions()) > 0, 'Temporal lists the goal');
    expect(await executions()).toBe(1);
    expect(await rows()).toBe(1);
  });
});

test('a goal can be read as soon as it is accepted', async () => {
  const { client, token } = await newTenant();
  const lanes = Array.from({ length: 10 }, async () => {
    for (let n = 0; n < 20; n += 1) {
      const accepted = await post(good, { as: token });
      expect(accepted.status).toBe(202);
      const read = await send('GET', `/v1/goals/${accepted.body.id}`, { as: token });
      expect(read, 'read right after it was accepted').toMatchObject({ status: 200, body: { id: accepted.body.id } });
    }
  });
  await Promise.all(lanes);
  await until(
    async () => (await client.goals.list({ status: 'completed', limit: 500 })).items.length === 200,
    'all 200 complete',
    { timeoutSeconds: 60 },
  );
});

describe('a goal that cannot be planned', () => {
  test('is refused while no model is configured', async () => {
    const answer = await post({ objective: 'Make me a sandwich' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'ASTRA_MODEL_NOT_CONFIGURED' } });
    expect(answer.body.detail).toContain('ASTRA_MODEL');
  });

  test('is refused when there is no such template, or its parameters do not fit', async () => {
    const name = `e2e-${crypto.randomUUID()}`;
    const invalid = (pointer: string) => ({
      status: 422,
      body: { code: 'ASTRA_TEMPLATE_INVALID', errors: [{ pointer }] },
    });
    expect(await post({ template: { name } })).toMatchObject(invalid('/template/name'));
    await system.astra.templates.put({
      name,
      description: 'Needs a number.',
      params: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false },
      objective: 'x',
      plan: { tasks: [echo('a', '{{ params.n }}')] },
    });
    expect(await post({ template: { name } })).toMatchObject(invalid('/template/params/n'));
    expect(await post({ template: { name, params: { n: 'one' } } })).toMatchObject(invalid('/template/params/n'));
    expect(await post({ template: { name, params: { n: 1, m: 2 } } })).toMatchObject(invalid('/template/params/m'));
    expect((await post({ template: { name, params: { n: 1 } } })).status).toBe(202);
  });
});
