import { describe, expect, test } from 'vitest';
import { createAstra, isAstraError, type AstraOptions } from './index.ts';
import { goalId, goalView } from './test-support/goal-samples.ts';
import { drop, inOrder, json, problem, startScriptedServer } from './test-support/scripted-server.ts';

const client = (apiUrl: string, options: Partial<AstraOptions> = {}) =>
  createAstra({ apiUrl, token: 'secret', backOff: { baseMs: 1, capMs: 5 }, ...options });

const rejection = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection');
};

describe('calls', () => {
  test('send the bearer token, from a function as well, and keep a path prefix of the API', async () => {
    const server = await startScriptedServer(() => json({ subject: 'a', tenant: 't', scopes: [] }));
    await client(`${server.url}/prefix`, { token: () => Promise.resolve('fresh') }).me();
    expect(server.requests[0]).toMatchObject({ path: '/prefix/v1/me', headers: { authorization: 'Bearer fresh' } });
  });

  test('are repeated after dropped connections, 429, 502, 503 and 504', async () => {
    const server = await startScriptedServer(
      inOrder(
        drop,
        problem(429, 'ASTRA_RATE_LIMITED', 'slow', {}, { 'retry-after': '0' }),
        (response) => response.writeHead(502).end('<html>'),
        problem(503, 'ASTRA_UNAVAILABLE', 'away'),
        json({ subject: 'a', tenant: 't', scopes: [] }),
      ),
    );
    expect(await client(server.url).me()).toMatchObject({ subject: 'a' });
    expect(server.requests).toHaveLength(5);
  });

  test('wait as long as Retry-After says', async () => {
    const server = await startScriptedServer(
      inOrder(problem(503, 'ASTRA_UNAVAILABLE', 'away', {}, { 'retry-after': '1' }), json({})),
    );
    const startedAt = performance.now();
    await client(server.url).me();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(995);
  });

  test('do not wait silently for a long Retry-After, also as a date, but say it', async () => {
    const date = new Date(Date.now() + 600_000).toUTCString();
    const server = await startScriptedServer(() =>
      problem(503, 'ASTRA_UNAVAILABLE', 'away', {}, { 'retry-after': date }),
    );
    const error = await rejection(client(server.url).me());
    if (!isAstraError(error, 'ASTRA_UNAVAILABLE')) throw error;
    expect(error.retryAfterSeconds).toBeGreaterThan(590);
    expect(server.requests).toHaveLength(1);
  });

  test('give up after the tries allowed, with the last failure', async () => {
    const server = await startScriptedServer(() => drop);
    const error = await rejection(client(server.url, { retries: 2 }).me());
    expect(error).toMatchObject({ code: 'ASTRA_CONNECTION', status: 0, retryable: true });
    expect(server.requests).toHaveLength(3);
  });

  test('that must not be repeated are repeated after 429 only', async () => {
    const away = await startScriptedServer(() => problem(503, 'ASTRA_UNAVAILABLE', 'away'));
    expect(await rejection(client(away.url).goals.sendEvent(goalId, { name: 'paid' }))).toMatchObject({ status: 503 });
    expect(away.requests).toHaveLength(1);

    const busy = await startScriptedServer(inOrder(problem(429, 'ASTRA_RATE_LIMITED', 'slow'), json({}, 202)));
    await client(busy.url).goals.sendEvent(goalId, { name: 'paid', data: { usd: '1' } });
    expect(busy.requests[1]).toMatchObject({ method: 'POST', body: { name: 'paid', data: { usd: '1' } } });
  });

  test('that submit a goal carry one idempotency key over all their tries', async () => {
    const server = await startScriptedServer(
      inOrder(drop, problem(503, 'ASTRA_UNAVAILABLE', 'away'), json(goalView(), 202)),
    );
    const goal = await client(server.url).goals.submit({ objective: 'x' });
    expect(goal.id).toBe(goalId);
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys).size).toBe(1);
  });

  test('carry the idempotency key given', async () => {
    const server = await startScriptedServer(() => json(goalView(), 202));
    await client(server.url).templates.run(
      'repo-report',
      { directory: '.' },
      { idempotencyKey: 'mine', goal: { priority: 1 } },
    );
    expect(server.requests[0]).toMatchObject({
      headers: { 'idempotency-key': 'mine' },
      body: { template: { name: 'repo-report', params: { directory: '.' } }, priority: 1 },
    });
  });
});

describe('failures', () => {
  test('carry code, status, faults and request id of the problem document', async () => {
    const errors = [{ pointer: '/plan/tasks/1/after/0', message: 'unknown task "x"' }];
    const server = await startScriptedServer(() =>
      problem(422, 'ASTRA_PLAN_INVALID', 'The plan has 1 fault.', { errors, retryable: false, requestId: 'req_1' }),
    );
    const error = await rejection(client(server.url).goals.submit({ objective: 'x' }));
    expect(isAstraError(error, 'ASTRA_PLAN_INVALID')).toBe(true);
    expect(isAstraError(error, 'ASTRA_NOT_FOUND')).toBe(false);
    expect(error).toMatchObject({
      message: 'The plan has 1 fault.',
      status: 422,
      faults: errors,
      retryable: false,
      requestId: 'req_1',
    });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    [401, 'ASTRA_UNAUTHENTICATED'],
    [403, 'ASTRA_FORBIDDEN'],
    [404, 'ASTRA_NOT_FOUND'],
    [502, 'ASTRA_UNAVAILABLE'],
    [500, 'ASTRA_INTERNAL'],
  ])('without a problem document are typed by their status: %i', async (status, code) => {
    const server = await startScriptedServer(() => (response) => response.writeHead(status).end('<html>'));
    expect(await rejection(client(server.url, { retries: 0 }).me())).toMatchObject({ code, status });
  });

  test('say so when the answer is not that of an Astra API', async () => {
    const server = await startScriptedServer(() => (response) => response.end('<html>'));
    expect(await rejection(client(server.url).me())).toMatchObject({
      code: 'ASTRA_INTERNAL',
      message: expect.stringContaining('JSON') as unknown,
    });
  });

  test('to connect name the address and the cause', async () => {
    const server = await startScriptedServer(() => drop);
    await server.close();
    const error = await rejection(client(server.url, { retries: 1 }).me());
    expect(error).toMatchObject({ code: 'ASTRA_CONNECTION' });
    expect(String(error)).toContain(server.url);
    expect(String(error)).toContain('ECONNREFUSED');
  });

  test.each(['the answer', 'the end of the answer'])('to get %s in time are ASTRA_TIMEOUT', async (what) => {
    const server = await startScriptedServer(() => (response) => {
      if (what !== 'the answer') response.writeHead(200, { 'content-type': 'application/json' }).write('{');
    });
    expect(await rejection(client(server.url, { retries: 1, timeoutMs: 50 }).me())).toMatchObject({
      code: 'ASTRA_TIMEOUT',
    });
    expect(server.requests).toHaveLength(2);
  });

  test('never hold the token', async () => {
    const server = await startScriptedServer(() => drop);
    const error = await rejection(client(server.url, { retries: 0 }).me());
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
  });

  test('of an API URL that is none come at once', () => {
    expect(() => client('localhost:8700')).toThrow(/absolute http/);
  });
});

describe('an abort', () => {
  test('rejects with its reason in the middle of a request', async () => {
    const abort = new AbortController();
    const server = await startScriptedServer(() => () => abort.abort(new Error('enough')));
    expect(await rejection(client(server.url).me({ signal: abort.signal }))).toMatchObject({ message: 'enough' });
  });

  test('rejects at once while waiting to try again', async () => {
    const abort = new AbortController();
    const server = await startScriptedServer(() =>
      problem(503, 'ASTRA_UNAVAILABLE', 'away', {}, { 'retry-after': '50' }),
    );
    const call = client(server.url).me({ signal: abort.signal });
    while (server.requests.length === 0) await new Promise(setImmediate);
    const startedAt = performance.now();
    setTimeout(() => abort.abort(new Error('enough')), 50);
    expect(await rejection(call)).toMatchObject({ message: 'enough' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test('before the call sends nothing', async () => {
    const server = await startScriptedServer(() => json({}));
    expect(await rejection(client(server.url).me({ signal: AbortSignal.abort(new Error('enough')) }))).toMatchObject({
      message: 'enough',
    });
    expect(server.requests).toHaveLength(0);
  });
});
