import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { createGoalId } from '../goals/goal-id.ts';
import type { NewGoal } from '../goals/read-workflow-input.ts';
import { createTestApp, type TestApp } from '../test-support/test-app.ts';

const start = vi.fn((_: NewGoal) => Promise.resolve(true));
let app: TestApp;
beforeAll(async () => {
  app = await createTestApp({
    deps: {
      catalogue: () => Promise.resolve(new Map()),
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
beforeEach(() => start.mockClear());

const plan = { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] };
const goal = (fields: object = {}): string => JSON.stringify({ objective: 'x', plan, ...fields });
const send = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request('/v1/goals:batch', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
const linesOf = async (response: Response): Promise<readonly Record<string, unknown>[]> =>
  (await response.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const started = (): string[] => start.mock.calls.map(([{ goalId }]) => goalId);

describe('a batch', () => {
  test('answers a line for each goal, in their order, and what is wrong with one concerns that one', async () => {
    const body = [
      goal({ objective: 'first' }),
      '{"objective":',
      '[]',
      '',
      goal({ color: 'red' }),
      goal({ objective: 'last' }),
    ];
    const response = await send(body.join('\n'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(await linesOf(response)).toMatchObject([
      { index: 0, status: 202, goal: { objective: 'first', status: 'accepted' } },
      { index: 1, status: 422, problem: { code: 'ASTRA_BODY_INVALID' } },
      { index: 2, status: 422, problem: { code: 'ASTRA_BODY_INVALID' } },
      { index: 3, status: 422, problem: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '/color' }] } },
      { index: 4, status: 202, goal: { objective: 'last' } },
    ]);
    expect(start).toHaveBeenCalledTimes(2);
  });

  test('gives each line a key made from that of the call, unless it has its own', async () => {
    const own = goal({ idempotencyKey: 'mine' });
    await linesOf(await send(`${goal()}\n${own}\n${goal()}`, { 'idempotency-key': 'call' }));
    const ids = ['call/0', 'mine', 'call/2'].map((key) => createGoalId('tenant-a', key));
    expect(started().toSorted()).toEqual(ids.toSorted());
    await linesOf(await send(goal({ idempotencyKey: 'mine' })));
    expect(started().at(-1)).toBe(ids[1]);
  });

  test('says of a goal that is refused for now when to send it again', async () => {
    start.mockRejectedValueOnce(new Error('Temporal said something strange'));
    const [result] = await linesOf(await send(goal()));
    expect(result).toMatchObject({ index: 0, status: 500, problem: { code: 'ASTRA_INTERNAL' } });
    expect(JSON.stringify(result)).not.toContain('strange');
    const { catalogue, engine } = app.deps;
    const admission = { admit: () => Promise.reject(overloaded()) };
    const full = await createTestApp({ deps: { catalogue, engine, admission } });
    const refused = await full.request('/v1/goals:batch', {
      method: 'POST',
      body: goal(),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(await linesOf(refused)).toMatchObject([
      { index: 0, status: 429, retryAfterSeconds: 7, problem: { code: 'ASTRA_OVERLOADED', retryable: true } },
    ]);
    await full.close();
  });

  test.each([
    ['of another media type', goal(), { 'content-type': 'application/json' }, 415],
    ['without a line', ' \n\n', {}, 422],
    ['with too many lines', `${'{}\n'.repeat(limits.batchItems)}{}`, {}, 422],
    ['that is too large', 'x'.repeat(limits.batchBytes + 1), { 'content-length': String(limits.batchBytes + 1) }, 413],
  ])('%s is refused whole, and nothing is started', async (_, body, headers, status) => {
    expect((await send(body, headers as Record<string, string>)).status).toBe(status);
    expect(start).not.toHaveBeenCalled();
  });

  test('refuses a goal beyond the size of one, not its neighbours', async () => {
    const huge = goal({ input: { text: 'x'.repeat(limits.goalBodyBytes) } });
    expect(await linesOf(await send(`${huge}\n${goal()}`))).toMatchObject([
      { index: 0, status: 413, problem: { code: 'ASTRA_BODY_TOO_LARGE' } },
      { index: 1, status: 202 },
    ]);
  });
});

const overloaded = (): AstraError =>
  new AstraError('ASTRA_OVERLOADED', 'More goals are waiting than can begin soon.', { retryAfterSeconds: 7 });
