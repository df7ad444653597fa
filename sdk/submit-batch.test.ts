import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createAstra, type BatchGoal, type BatchResult } from './index.ts';
import { goalView } from './test-support/goal-samples.ts';
import { inOrder, startScriptedServer, type Answer as ScriptedAnswer } from './test-support/scripted-server.ts';

type Line = BatchGoal & { readonly idempotencyKey: string };
type Answer = (response: ServerResponse, lines: readonly Line[]) => void;

/** A server that answers batches in their order. */
async function startBatchServer(...answers: readonly Answer[]) {
  const server = await startScriptedServer(
    inOrder(
      ...answers.map(
        (answer): ScriptedAnswer =>
          (response, { body }) =>
            answer(response, body as readonly Line[]),
      ),
    ),
  );
  const { goals } = createAstra({ apiUrl: server.url, backOff: { baseMs: 1, capMs: 5 }, retries: 2 });
  return { goals, callOf: (call: number) => server.requests[call]?.body as readonly Line[], requests: server.requests };
}

const accepted = (index: number, { objective = '' }: Line): object => ({
  index,
  status: 202,
  goal: goalView({ objective }),
});
const overloaded = (index: number): object => ({
  index,
  status: 429,
  retryAfterSeconds: 0,
  problem: { code: 'ASTRA_OVERLOADED', detail: 'too many wait', status: 429, retryable: true },
});
const answer =
  (resultOf: (index: number, line: Line) => object, end: 'end' | 'destroy' = 'end'): Answer =>
  (response, lines) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const results = lines.map((line, index) => `${JSON.stringify(resultOf(index, line))}\n`);
    if (end === 'end') response.end(results.join(''));
    else response.write(results.slice(0, 2).join(''), () => setTimeout(() => response.destroy(), 20));
  };

const named = (count: number): BatchGoal[] => Array.from({ length: count }, (_, index) => ({ objective: `g${index}` }));
async function collect(source: AsyncIterable<BatchResult>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { index, goal, error } of source) seen.push(`${index} ${goal?.objective ?? error?.code ?? ''}`);
  return seen;
}

test('goals go out in calls of a thousand, and what came of each comes back in their order', async () => {
  const { goals, callOf, requests } = await startBatchServer(answer(accepted), answer(accepted));
  async function* source() {
    yield* named(1_001);
  }
  const seen = await collect(goals.submitBatch(source(), { idempotencyKey: 'k' }));
  expect(seen).toEqual(named(1_001).map(({ objective }, index) => `${index} ${objective}`));
  expect(requests.map((_, call) => callOf(call).length)).toEqual([1_000, 1]);
  expect(callOf(1)[0]).toMatchObject({ objective: 'g1000', idempotencyKey: 'k/1000' });
});

test('a goal that is refused fails nobody else', async () => {
  const refused = { index: 1, status: 422, problem: { code: 'ASTRA_PLAN_INVALID', detail: 'no', status: 422 } };
  const { goals } = await startBatchServer(answer((index, line) => (index === 1 ? refused : accepted(index, line))));
  expect(await collect(goals.submitBatch(named(3)))).toEqual(['0 g0', '1 ASTRA_PLAN_INVALID', '2 g2']);
});

test('those that are refused because too many wait are sent again, with the same keys', async () => {
  const first = answer((index, line) => (index === 0 || index === 3 ? accepted(index, line) : overloaded(index)));
  const { goals, callOf } = await startBatchServer(first, answer(accepted));
  expect(await collect(goals.submitBatch(named(4), { idempotencyKey: 'k' }))).toEqual(['0 g0', '1 g1', '2 g2', '3 g3']);
  expect(callOf(1).map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k/1', 'k/2']);
});

test('and are told to the caller when none of them gets in any more', async () => {
  const none = answer(overloaded);
  const { goals, requests } = await startBatchServer(none, none, none);
  expect(await collect(goals.submitBatch(named(2)))).toEqual(['0 ASTRA_OVERLOADED', '1 ASTRA_OVERLOADED']);
  expect(requests).toHaveLength(3);
});

test('a call that breaks is taken up where it broke', async () => {
  const { goals, callOf } = await startBatchServer(answer(accepted, 'destroy'), answer(accepted));
  expect(await collect(goals.submitBatch(named(4), { idempotencyKey: 'k' }))).toEqual(['0 g0', '1 g1', '2 g2', '3 g3']);
  expect(callOf(1).map(({ idempotencyKey }) => idempotencyKey)).toEqual(['k/2', 'k/3']);
});

test('a refusal of the whole call is thrown', async () => {
  const { goals } = await startBatchServer((response) =>
    response
      .writeHead(403, { 'content-type': 'application/problem+json' })
      .end('{"code":"ASTRA_FORBIDDEN","status":403}'),
  );
  await expect(collect(goals.submitBatch(named(1)))).rejects.toMatchObject({ code: 'ASTRA_FORBIDDEN' });
});
