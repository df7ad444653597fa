import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, tool } from './record-support.ts';

let api: ApiBench;
let admin: string;
beforeAll(async () => {
  api = await createApiBench();
  admin = await api.app.tokens.sign({ tenant: api.bench.tenant, scope: 'admin' });
});
afterAll(() => api.stop());

const put = async (scope: string, json: unknown, as = admin) => {
  const response = await api.app.request(`/v1/budgets/${scope}`, { method: 'PUT', json, as });
  return { status: response.status, body: await response.json() };
};

describe('a budget', () => {
  test('is set by an admin and read by the tenant, and by no other', async () => {
    const scope = 'agent:scout';
    expect(await api.get(`/v1/budgets/${scope}`)).toMatchObject({
      status: 200,
      body: { scope, limit: {}, reserved: {}, spent: {} },
    });
    const set = { scope, limit: { usd: '10.00', seconds: 1.5 }, reserved: { usd: '0', seconds: 0 } };
    expect(await put(scope, { limit: set.limit })).toMatchObject({ status: 200, body: set });
    expect(await api.get(`/v1/budgets/${encodeURIComponent(scope)}`)).toMatchObject({ status: 200, body: set });
    const stranger = await api.app.tokens.sign({ tenant: 'somebody-else', scope: 'admin' });
    expect(await api.get(`/v1/budgets/${scope}`, { as: stranger })).toMatchObject({ status: 200, body: { limit: {} } });
    const user = await api.app.tokens.sign({ tenant: api.bench.tenant });
    expect(await put(scope, { limit: {} }, user)).toMatchObject({ status: 403, body: { code: 'ASTRA_FORBIDDEN' } });
  });

  test('takes amounts of its units only', async () => {
    const refused = await put('tenant', { limit: { usd: 10, euros: '1', tokens: -1 }, spent: {} });
    expect(refused).toMatchObject({ status: 422, body: { code: 'ASTRA_BODY_INVALID' } });
    const { errors } = refused.body as { errors: readonly { readonly pointer: string }[] };
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual([
      '/limit/euros',
      '/limit/tokens',
      '/limit/usd',
      '/spent',
    ]);
    expect(await put('somewhere', { limit: {} })).toMatchObject({ status: 400 });
  });

  test('of a goal is read, and not set', async () => {
    const goal = api.bench.newGoal();
    const scope = `goal:${goal.goalId}`;
    expect(await api.get(`/v1/budgets/${scope}`)).toMatchObject({ status: 404, body: { code: 'ASTRA_NOT_FOUND' } });
    await begin(api.worker.recorder, goal, [tool('a')], { budget: { tasks: 3 }, budgetScopes: [scope] });
    expect(await api.get(`/v1/budgets/${scope}`)).toMatchObject({
      status: 200,
      body: { scope, limit: { tasks: 3 }, reserved: { tasks: 0 }, spent: { tasks: 0 } },
    });
    expect(await put(scope, { limit: { tasks: 9 } })).toMatchObject({
      status: 400,
      body: { code: 'ASTRA_PARAMETER_INVALID' },
    });
  });
});
