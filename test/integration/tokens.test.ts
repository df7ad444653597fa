import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestApp } from '../../api/test-support/test-app.ts';
import { until } from '../support/until.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, tool } from './record-support.ts';

let api: ApiBench;
beforeAll(async () => {
  api = await createApiBench();
});
afterAll(() => api.stop());

/** Another token at each call. */
const sign = (claims: object = {}): Promise<string> =>
  api.app.tokens.sign({ tenant: api.bench.tenant, jti: randomUUID(), ...claims });
/** Another process, which accepts the same tokens. */
const startOther = (without?: 'redis' | 'postgres'): Promise<TestApp> =>
  api.startApp({ tokens: api.app.tokens, ...(without && { without }) });
const revoke = (as: string, token?: string): Promise<Response> =>
  api.app.request('/v1/tokens:revoke', { method: 'POST', as, ...(token === undefined ? {} : { json: { token } }) });
const statusOf = async (app: TestApp, as: string): Promise<number> => (await app.request('/v1/me', { as })).status;
const problem = async (response: Response) => ({ status: response.status, ...((await response.json()) as object) });

describe('a revoked token is refused', () => {
  test('at once where it was revoked, for a read from memory too', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    const token = await sign();
    const read = (): Promise<Response> => api.app.request(`/v1/goals/${goal.goalId}`, { as: token });
    await until(async () => {
      expect((await read()).status).toBe(200);
      return api.app.deps.hotViews.recall(goal) !== null;
    }, 'the goal is in memory');
    expect((await revoke(token)).status).toBe(204);
    expect(await problem(await read())).toMatchObject({
      status: 401,
      code: 'ASTRA_UNAUTHENTICATED',
      detail: expect.stringContaining('revoked') as unknown,
    });
  });

  test.each([[undefined], ['redis']] as const)('within a second by another process (without %s)', async (without) => {
    const other = await startOther(without);
    const [token, kept] = [await sign(), await sign({ sub: 'user-2' })];
    expect([await statusOf(other, token), await statusOf(other, kept)]).toEqual([200, 200]);
    const begun = performance.now();
    await revoke(token);
    await until(async () => (await statusOf(other, token)) === 401, 'the other process refuses it');
    // The poll while Redis is away comes each second, and the query takes a moment.
    expect(performance.now() - begun).toBeLessThan(without ? 1_500 : 1_000);
    expect(await statusOf(other, kept)).toBe(200);
  });

  test('by processes that start later', async () => {
    const token = await sign();
    await revoke(token);
    const later = await startOther();
    await later.deps.revokedTokens.loaded;
    expect(await statusOf(later, token)).toBe(401);
  });
});

describe('a token may be revoked', () => {
  test('by its subject with another token, and by nobody else of the tenant but an admin', async () => {
    const [lost, own, other] = [await sign(), await sign(), await sign({ sub: 'user-2' })];
    expect(await problem(await revoke(other, lost))).toMatchObject({ status: 403, code: 'ASTRA_FORBIDDEN' });
    expect((await revoke(own, lost)).status).toBe(204);
    expect(await statusOf(api.app, lost)).toBe(401);
    const admin = await sign({ sub: 'boss', scope: 'admin' });
    expect((await revoke(admin, own)).status).toBe(204);
    expect(await statusOf(api.app, own)).toBe(401);
  });

  test('more than once', async () => {
    const [token, own] = [await sign(), await sign()];
    expect((await revoke(own, token)).status).toBe(204);
    expect((await revoke(own, token)).status).toBe(204);
  });

  test('never by another tenant, which is told no more than of a text that is no token', async () => {
    const token = await sign();
    const stranger = await sign({ tenant: 'somebody-else', scope: 'admin' });
    const answer = { status: 422, code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '/token' }] };
    expect(await problem(await revoke(stranger, token))).toMatchObject(answer);
    expect(await problem(await revoke(stranger, 'no.token.atall'))).toMatchObject(answer);
    expect(await statusOf(api.app, token)).toBe(200);
  });

  test('only as long as Postgres can keep it', async () => {
    const blind = await startOther('postgres');
    const as = await sign();
    const response = await blind.request('/v1/tokens:revoke', { method: 'POST', as });
    expect(await problem(response)).toMatchObject({ status: 503, code: 'ASTRA_UNAVAILABLE' });
    expect(await statusOf(blind, as)).toBe(200);
  });
});

test('what has expired is kept no longer', async () => {
  const rows = async () =>
    (await api.worker.pool.query<{ token_id: string }>('SELECT token_id FROM revoked_tokens')).rows;
  const token = { id: 'long-ago', expiresAtMs: Date.now() - 120_000 };
  await api.app.deps.revokedTokens.revoke(api.bench.tenant, token);
  expect(await rows()).toContainEqual({ token_id: 'long-ago' });
  await revoke(await sign());
  expect(await rows()).not.toContainEqual({ token_id: 'long-ago' });
});
