import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { errorRegistry } from '../domain/errors.ts';
import { goalIdSchema } from '../domain/schemas/common.ts';
import type { ToolManifest } from '../domain/schemas/tool.ts';
import { createTestApp, type TestApp } from './test-support/test-app.ts';

const anyNumber: unknown = expect.any(Number);
const anyList: unknown = expect.any(Array);
const containing = (text: string): unknown => expect.stringContaining(text);

const goalId = goalIdSchema.parse('gol_0123456789abcdefghij');
const echo: ToolManifest = {
  name: 'test.echo',
  description: 'Gives back its input.',
  inputSchema: { type: 'object' },
  outputSchema: {},
  workerClass: 'tools',
  execution: 'inline',
  effect: 'none',
  risk: 'low',
  timeoutSeconds: 1,
  cacheSeconds: 0,
};
const plan = { tasks: [{ id: 'a', kind: 'tool', tool: 'test.echo' }] };

// The last line of defence of the tests for refusals: with it, "nothing was started" is checked and not assumed.
const start = vi.fn(() => Promise.resolve(true));
let app: TestApp;
beforeAll(async () => {
  app = await createTestApp({
    deps: {
      catalogue: () => Promise.resolve(new Map([[echo.name, echo]])),
      engine: {
        start,
        find: () => Promise.resolve(null),
        query: () => Promise.resolve(null),
        retry: () => Promise.resolve(false),
        amendPlan: () => Promise.reject(new Error('no goal runs')),
        proposeChange: () => Promise.reject(new Error('no goal runs')),
        cancel: () => Promise.resolve(false),
        deliverEvent: () => Promise.resolve(false),
      },
    },
  });
});
afterAll(() => app.close());

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { readonly properties: Record<string, { enum: string[] }> }>;
  };
}
interface Operation {
  readonly parameters?: { readonly name: string; readonly in: string }[];
  readonly requestBody?: unknown;
  readonly security?: unknown;
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}
const openApi = async (): Promise<OpenApi> =>
  (await (await app.request('/openapi.json', { as: null })).json()) as OpenApi;
const problem = async (response: Response) => ({ status: response.status, ...((await response.json()) as object) });

describe('who may ask', () => {
  test('nobody without a token, and the answer says how', async () => {
    const response = await app.request('/v1/goals', { as: null });
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
    expect(await problem(response)).toMatchObject({ status: 401, code: 'ASTRA_UNAUTHENTICATED' });
    expect((await app.request('/v1/goals', { as: 'nonsense' })).status).toBe(401);
  });

  test.each([
    ['GET', '/v1/goals', 'goals:read'],
    ['POST', '/v1/goals', 'goals:write'],
    ['POST', `/v1/goals/${goalId}/cancel`, 'goals:write'],
    ['PUT', '/v1/templates/x', 'goals:write'],
    ['POST', '/v1/approvals/apr_x/decisions', 'approvals:write'],
    ['POST', '/v1/webhooks', 'admin'],
    ['GET', '/v1/webhooks/callback-secret', 'admin'],
    ['POST', '/v1/inbound-webhooks', 'admin'],
    ['POST', '/v1/approvals/apr_x/delegations', 'approvals:write'],
    ['PUT', '/v1/approval-policies', 'admin'],
  ])('%s %s needs the scope %s, and says so', async (method, path, scope) => {
    const as = await app.tokens.sign({ scope: 'other' });
    const refusal = await problem(await app.request(path, { method, as }));
    expect(refusal).toMatchObject({ status: 403, code: 'ASTRA_FORBIDDEN', detail: containing(scope) });
  });

  test('`admin` implies all scopes, and /v1/me tells who one is', async () => {
    const as = await app.tokens.sign({ scope: 'admin' });
    expect((await app.request('/v1/tools', { as })).status).toBe(200);
    expect(await (await app.request('/v1/me', { as })).json()).toEqual({
      subject: 'user-1',
      tenant: 'tenant-a',
      scopes: ['admin'],
    });
  });
});

describe('requests that are not understood', () => {
  test('an unknown path is a problem document', async () => {
    const response = await app.request('/v1/nothing');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await problem(response)).toMatchObject({
      status: 404,
      code: 'ASTRA_NOT_FOUND',
      retryable: false,
      errors: [],
    });
  });

  test('a wrong method is told which are right', async () => {
    const response = await app.request('/v1/goals', { method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('POST, GET, HEAD');
    expect(await problem(response)).toMatchObject({ status: 405, code: 'ASTRA_METHOD_NOT_ALLOWED' });
  });

  test('no call takes a query parameter that it does not know', async () => {
    const { paths } = await openApi();
    const samples: Record<string, string> = {
      goalId,
      webhookId: `whk_${'0'.repeat(22)}`,
      deliveryId: `dlv_${'0'.repeat(22)}`,
      hookId: `inb_${'0'.repeat(22)}`,
      taskId: 'a',
      approvalId: 'apr_x',
      artifactId: 'art_0123456789abcdef',
      deletionId: `del_${'0'.repeat(32)}`,
      name: 'x',
    };
    const as = await app.tokens.sign({ scope: 'admin' });
    const calls = Object.entries(paths)
      .filter(([path]) => path.startsWith('/v1/'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })));
    expect(calls.length).toBeGreaterThan(18);
    for (const { method, path } of calls) {
      const url = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => samples[name] ?? 'x');
      const answer = await problem(await app.request(`${url}?nonsense=1`, { method, as }));
      expect({ method, path, ...answer }).toMatchObject({
        method,
        path,
        code: 'ASTRA_PARAMETER_INVALID',
        errors: [{ pointer: '/nonsense', message: 'unknown parameter' }],
      });
    }
  });

  test.each([
    ['/v1/goals?limit=0', '/limit'],
    ['/v1/goals?limit=501', '/limit'],
    ['/v1/goals?status=running,dead', '/status/1'],
    ['/v1/goals?label=nocolon', '/label/0'],
    ['/v1/goals?createdAfter=yesterday', '/createdAfter'],
    ['/v1/goals?cursor=nonsense', '/cursor'],
    ['/v1/goals/nonsense', '/goalId'],
    [`/v1/goals/${goalId}?minSeq=-1`, '/minSeq'],
    [`/v1/goals/${goalId}/result?wait=61s`, '/wait'],
    [`/v1/goals/${goalId}/result?wait=1m`, '/wait'],
    [`/v1/goals/${goalId}/tasks/each.x`, '/taskId'],
    [`/v1/goals/${goalId}/events?afterSeq=x`, '/afterSeq'],
    ['/v1/approvals?status=open', '/status'],
    ['/v1/artifacts/art_1', '/artifactId'],
    ['/v1/templates/Not-A-Name', '/name'],
  ])('%s is refused at %s', async (path, pointer) => {
    expect(await problem(await app.request(path))).toMatchObject({
      status: 400,
      code: 'ASTRA_PARAMETER_INVALID',
      errors: [{ pointer }],
    });
  });

  test('the request id is the client’s own, or a new one, in header and problem alike', async () => {
    const own = await app.request('/v1/nothing', { headers: { 'x-request-id': 'mine-1' } });
    expect(own.headers.get('x-request-id')).toBe('mine-1');
    expect(await own.json()).toMatchObject({ requestId: 'mine-1' });
    const made = await app.request('/v1/nothing', { headers: { 'x-request-id': 'not an id\u00e9' } });
    expect(made.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
  });
});

describe('a goal is refused, and nothing started,', () => {
  const submit = (json: unknown, init: RequestInit = {}) => app.request('/v1/goals', { method: 'POST', json, ...init });

  test.each([
    ['no source of a plan', {}, 'ASTRA_BODY_INVALID', ''],
    ['two sources of a plan', { plan, template: { name: 'x' } }, 'ASTRA_BODY_INVALID', '/template'],
    ['an unknown field', { plan, plann: 1 }, 'ASTRA_BODY_INVALID', '/plann'],
    [
      'an unknown field of a task',
      { plan: { tasks: [{ ...plan.tasks[0], retries: 1 }] } },
      undefined,
      '/plan/tasks/0/retries',
    ],
    ['a list', [], 'ASTRA_BODY_INVALID', ''],
    ['a priority out of range', { plan, priority: 6 }, 'ASTRA_BODY_INVALID', '/priority'],
    ['a callback that is no URL', { plan, callbackUrl: 'ftp://example.com/' }, 'ASTRA_BODY_INVALID', '/callbackUrl'],
    ['a callback with a password', { plan, callbackUrl: 'https://a:b@c.test/' }, undefined, '/callbackUrl'],
    ['a label that is no name', { plan, labels: { 'a b': 'x' } }, 'ASTRA_BODY_INVALID', '/labels/a b'],
    ['an empty plan', { plan: { tasks: [] } }, undefined, '/plan/tasks'],
    [
      'an unknown tool',
      { plan: { tasks: [{ id: 'a', kind: 'tool', tool: 'no.tool' }] } },
      'ASTRA_PLAN_INVALID',
      '/plan/tasks/0/tool',
    ],
    [
      'an unknown dependency',
      { plan: { tasks: [{ ...plan.tasks[0], after: ['b'] }] } },
      'ASTRA_PLAN_INVALID',
      '/plan/tasks/0/after/0',
    ],
    [
      'the same id twice',
      { plan: { tasks: [plan.tasks[0], plan.tasks[0]] } },
      'ASTRA_PLAN_INVALID',
      '/plan/tasks/1/id',
    ],
    [
      'a bad expression',
      { plan: { tasks: [{ ...plan.tasks[0], when: '1 +' }] } },
      'ASTRA_PLAN_INVALID',
      '/plan/tasks/0/when',
    ],
  ])('for %s', async (_what, body, code, pointer) => {
    const answer = await problem(await submit(body));
    expect(answer).toMatchObject({ status: 422, errors: [{ pointer }], retryable: false });
    if (code !== undefined) expect(answer).toMatchObject({ code });
    expect(start).not.toHaveBeenCalled();
  });

  test('for an objective that no model can plan, and says what to set', async () => {
    const answer = await problem(await submit({ objective: 'make tea' }));
    expect(answer).toMatchObject({
      status: 422,
      code: 'ASTRA_MODEL_NOT_CONFIGURED',
      detail: containing('ASTRA_MODEL_PROVIDER'),
    });
    expect(start).not.toHaveBeenCalled();
  });

  test('for a body that is not JSON, not said to be JSON, or too large', async () => {
    const post = (body: string, type = 'application/json') =>
      app.request('/v1/goals', { method: 'POST', body, headers: { 'content-type': type } });
    expect(await problem(await post('{"plan":'))).toMatchObject({ status: 422, code: 'ASTRA_BODY_INVALID' });
    expect(await problem(await post('{}', 'text/plain'))).toMatchObject({
      status: 415,
      code: 'ASTRA_MEDIA_TYPE_UNSUPPORTED',
    });
    const large = await post(JSON.stringify({ objective: 'x'.repeat(1024 * 1024) }));
    expect(await problem(large)).toMatchObject({ status: 413, code: 'ASTRA_BODY_TOO_LARGE' });
    expect(start).not.toHaveBeenCalled();
  });

  test('for an idempotency key that is too long', async () => {
    const answer = await problem(await submit({ plan }, { headers: { 'idempotency-key': 'x'.repeat(256) } }));
    expect(answer).toMatchObject({ status: 400, errors: [{ pointer: '/idempotency-key' }] });
    expect(start).not.toHaveBeenCalled();
  });
});

test('a tenant over its quota is told when to come back, also while Redis is away', async () => {
  const small = await createTestApp({ deps: { config: { ...app.deps.config, ASTRA_RATE_LIMIT_PER_SECOND: 3 } } });
  try {
    const as = await small.tokens.sign();
    const other = await small.tokens.sign({ tenant: 'tenant-b' });
    for (const path of ['/v1/me', '/v1/nothing']) {
      const method = path === '/v1/me' ? 'GET' : 'POST';
      const all = await Promise.all([1, 2, 3, 4].map(() => small.request(path, { as, method })));
      const refused = all.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(1);
      expect(refused[0]?.headers.get('retry-after')).toBe('1');
      expect(await refused[0]?.json()).toMatchObject({ code: 'ASTRA_RATE_LIMITED', retryable: true });
    }
    expect((await small.request('/v1/me', { as: other })).status).toBe(200);
  } finally {
    await small.close();
  }
});

describe('with every server down', () => {
  test('calls answer 503 with Retry-After, within seconds, and name no address', async () => {
    const down = await createTestApp();
    try {
      const begin = Date.now();
      const calls = [`/v1/goals/${goalId}`, '/v1/goals', '/v1/tools', '/v1/templates/x', '/v1/approvals'];
      for (const response of await Promise.all(calls.map((path) => down.request(path)))) {
        expect(response.headers.get('retry-after')).toMatch(/^[1-9]$/);
        const text = await response.text();
        expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'ASTRA_UNAVAILABLE', retryable: true });
        expect(text).not.toContain('127.0.0.1');
      }
      expect(Date.now() - begin).toBeLessThan(8_000);
    } finally {
      await down.close();
    }
  });

  test('a plan is not accepted without Temporal', async () => {
    const down = await createTestApp({ deps: { catalogue: app.deps.catalogue } });
    try {
      const response = await down.request('/v1/goals', { method: 'POST', json: { plan } });
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('2');
    } finally {
      await down.close();
    }
  });
});

describe('readiness', () => {
  const up = () => Promise.resolve();
  const down = () => Promise.reject(new Error('no answer'));
  test.each([
    [{ temporal: up, postgres: up, redis: up, s3: up }, 200, 'ready'],
    [{ temporal: up, postgres: down, redis: up, s3: down }, 200, 'degraded'],
    [{ temporal: up, postgres: up, redis: down, s3: up }, 200, 'degraded'],
    [{ temporal: up, postgres: down, redis: down, s3: up }, 503, 'not ready'],
    [{ temporal: down, postgres: up, redis: up, s3: up }, 503, 'not ready'],
  ])('case %#: Temporal and one place to read from are enough', async (checks, status, text) => {
    const probed = await createTestApp({ deps: { checks } });
    const response = await probed.request('/readyz', { as: null });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      status: text,
      dependencies: { temporal: { latencyMs: anyNumber } },
    });
    expect((await probed.request('/livez', { as: null })).status).toBe(200);
    await probed.close();
  });
});

describe('the OpenAPI document', () => {
  test('describes every route that is mounted, each with its problems', async () => {
    const { openapi, paths } = await openApi();
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/goals', '/v1/goals/{goalId}/events', '/readyz']));
    for (const [path, methods] of Object.entries(paths).filter(([name]) => name.startsWith('/v1/'))) {
      for (const [method, operation] of Object.entries(methods)) {
        expect({ path, method, security: operation.security }).toMatchObject({
          security: [{ bearer: anyList }],
        });
        for (const status of ['400', '401', '403', '429', '500', '503']) {
          expect(operation.responses[status]?.content, `${method} ${path} ${status}`).toHaveProperty(
            'application/problem+json',
          );
        }
        const hasBody = ['post', 'put'].includes(method) && !path.endsWith('/trigger');
        if (hasBody) expect(operation.requestBody, `${method} ${path}`).toBeDefined();
      }
    }
  });

  test('refers only to schemas that it has', async () => {
    const { components, ...rest } = await openApi();
    const text = JSON.stringify({ components, ...rest });
    const references = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name));
    expect([...references].filter((name) => !(String(name) in components.schemas))).toEqual([]);
    expect(references.size).toBeGreaterThan(20);
  });

  test('and the reference of errors list exactly the codes of the registry', async () => {
    const codes = Object.keys(errorRegistry);
    const { components } = await openApi();
    expect(components.schemas['Problem']?.properties['code']?.enum).toEqual(codes);
    const page = await readFile(new URL('../docs/reference/errors.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `(ASTRA_\w+)`\s*\| (\d+)\s*\| (yes|no)\s*\| (.*?)\s*\|$/gm)];
    expect(
      rows.map(([, code, status, retryable, title]) => ({ code, status: Number(status), retryable, title })),
    ).toEqual(
      Object.entries(errorRegistry).map(([code, { status, retryable, title }]) => ({
        code,
        status,
        retryable: retryable ? 'yes' : 'no',
        title,
      })),
    );
  });

  test('is shown at /docs', async () => {
    const page = await app.request('/docs', { as: null });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('/openapi.json');
  });
});

test('requests are counted by route, not by path', async () => {
  await app.request(`/v1/goals/${goalId}`);
  await app.request('/v1/nothing/at/all');
  const text = await app.deps.metrics.metrics();
  expect(text).toMatch(/astra_http_requests_total\{method="GET",route="\/v1\/goals\/:goalId",status="\d+"\} \d+/);
  expect(text).toContain('route="unmatched"');
  expect(text).not.toContain(goalId);
});
