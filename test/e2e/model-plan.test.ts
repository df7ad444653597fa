import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { goalOf, type Task } from '../support/e2e/tasks.ts';
import { startOpenAiServer, type OpenAiServer, type RecordedRequest } from '../support/openai-server.ts';
import { until } from '../support/until.ts';

let model: OpenAiServer;
let system: System;
beforeAll(async () => {
  model = await startOpenAiServer([]);
  system = await startSystem({
    env: {
      ASTRA_MODEL_PROVIDER: 'openai-compatible',
      ASTRA_MODEL_BASE_URL: model.url,
      ASTRA_MODEL: 'scripted-1',
      ASTRA_MODEL_API_KEY: 'sk-e2e-secret',
    },
  });
});
afterAll(async () => {
  await system.stop();
  await model.stop();
});

let asked: () => readonly RecordedRequest[];
beforeEach(() => {
  const before = model.requests.length;
  asked = () => model.requests.slice(before);
});

const plan = (code: string): Json => ({
  tasks: [{ id: 'add', kind: 'tool', tool: 'code.javascript', input: { code, input: '{{ goal.input }}' } }],
  output: '{{ tasks.add.output }}',
});
const good = plan('({ a, b }) => a + b');
const unknownTool: Json = { tasks: [{ id: 'add', kind: 'tool', tool: 'calculator.add' }] };
const sum = { objective: 'Add the numbers', input: { a: 2, b: 3 } };
const textOf = ({ body }: RecordedRequest): string => body.messages.map(({ content }) => content).join('\n');

describe('a goal with an objective alone', () => {
  test('is planned by the model and run', async () => {
    model.script([{ object: good }]);
    const documents = [{ kind: 'rule', title: 'Style', text: 'Prefer one task.' } as const];
    const goal = await runGoal(system.astra, { ...sum, documents });
    expect(goal.view).toMatchObject({ status: 'completed', output: 5, plan: { source: 'model', taskCount: 1 } });
    expect(asked()).toHaveLength(1);
    const [request] = asked();
    expect(request?.headers['authorization']).toBe('Bearer sk-e2e-secret');
    expect(request?.body).toMatchObject({ model: 'scripted-1', response_format: { type: 'json_schema' } });
    for (const part of ['Add the numbers', '{"a":2,"b":3}', 'code.javascript', 'Prefer one task.']) {
      expect(textOf(request!)).toContain(part);
    }
  });

  test('has its plan repaired by the faults that were found in it', async () => {
    model.script([{ object: unknownTool }, { object: good }]);
    const goal = await runGoal(system.astra, sum);
    expect(goal.view).toMatchObject({ status: 'completed', output: 5 });
    expect(asked()).toHaveLength(2);
    const [first, repair] = asked().map(textOf);
    expect(first).not.toContain('calculator.add');
    expect(repair).toContain('calculator.add');
    expect(repair).toContain('/tasks/0/tool: ');
    expect(goal.events.filter(({ type }) => type === 'plan.proposed')).toHaveLength(1);
  });

  test('fails when two repairs did not mend its plan', async () => {
    model.script([{ object: unknownTool }]);
    const goal = await runGoal(system.astra, sum);
    expect(goal.view).toMatchObject({ status: 'failed', plan: null, error: { code: 'ASTRA_PLAN_INVALID' } });
    expect(goal.view.error?.message).toContain('calculator.add');
    expect(asked()).toHaveLength(3);
    expect(goal.events.map(({ type }) => type)).toEqual(['goal.submitted', 'goal.failed']);
  });

  test('is planned in the end by a model that stumbles', async () => {
    model.script([{ status: 503, text: 'overloaded' }, { object: good }]);
    const goal = await runGoal(system.astra, sum);
    expect(goal.view).toMatchObject({ status: 'completed', output: 5 });
    expect(asked()).toHaveLength(2);
  });

  test('fails at once when the model’s endpoint refuses, and does not tell the key', async () => {
    model.script([{ status: 401, text: 'Incorrect API key provided: sk-e2e-secret' }]);
    const goal = await runGoal(system.astra, sum);
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_MODEL_REFUSED', retryable: false } });
    expect(asked()).toHaveLength(1);
    expect(JSON.stringify([goal.view, goal.events])).not.toContain('sk-e2e-secret');
  });

  test('shows up, and can be cancelled, while the model thinks', async () => {
    model.script([{ object: good, delayMs: 120_000 }]);
    const goal = await runGoal(system.astra, { ...sum, approval: { plan: 'required' } }, async (id) => {
      await until(() => asked().length === 1, 'the model is asked');
      expect(await system.astra.goals.get(id)).toMatchObject({ status: 'planning', seq: 1, plan: null });
      expect((await system.astra.goals.graph(id)).tasks).toEqual([]);
      await system.astra.goals.cancel(id);
    });
    expect(goal.view).toMatchObject({ status: 'cancelled', plan: null, error: null });
    expect(goal.events.map(({ type }) => type)).toEqual(['goal.submitted', 'goal.cancelling', 'goal.cancelled']);
  });

  test('outlives the worker that was planning it', async () => {
    model.script([{ object: good, delayMs: 120_000 }, { object: good }]);
    const goal = await runGoal(system.astra, sum, async () => {
      await until(() => asked().length === 1, 'the model is asked');
      await system.restartWorker();
    });
    expect(goal.view).toMatchObject({ status: 'completed', output: 5 });
    expect(asked()).toHaveLength(2);
  });

  test('may be a sub-goal', async () => {
    model.script([{ object: good }]);
    const child: Task = { id: 'child', kind: 'goal', goal: { ...sum, objective: 'Add for {{ goal.input.who }}' } };
    const goal = await runGoal(system.astra, goalOf([child], '{{ tasks.child.output }}', { input: { who: 'ann' } }));
    expect(goal.view).toMatchObject({ status: 'completed', output: 5 });
    expect(textOf(asked()[0]!)).toContain('Add for ann');
    const own = await finishedGoal(system.astra, goal.task('child').childGoalId!);
    expect(own.view.plan?.source).toBe('model');
  });
});

describe('model.generate', () => {
  const ask = (
    input: Extract<Task, { kind: 'tool' }>['input'],
    rest: Partial<Extract<Task, { kind: 'tool' }>> = {},
  ): Task => ({
    id: 'ask',
    kind: 'tool',
    tool: 'model.generate',
    ...(input && { input }),
    ...rest,
  });

  test('answers with text, which it shows as it comes', async () => {
    model.script([{ text: 'Forty-two, of course.' }]);
    const prompt = 'What is {{ goal.input.a }} times {{ goal.input.b }}?';
    const goal = await runGoal(
      system.astra,
      goalOf([ask({ prompt, system: 'Be brief.', temperature: 0.5, maxTokens: 50 })], '{{ tasks.ask.output.text }}', {
        input: { a: 6, b: 7 },
      }),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 'Forty-two, of course.', usage: { tokens: 18 } });
    expect(goal.task('ask').output).toMatchObject({ usage: { tokens: 18 } });
    expect(asked()[0]?.body).toMatchObject({ model: 'scripted-1', stream: true, temperature: 0.5, max_tokens: 50 });
    expect(textOf(asked()[0]!)).toBe('Be brief.\nWhat is 6 times 7?');
  });

  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  };

  test('answers with an object that follows the schema', async () => {
    model.script([{ object: { n: 42 } }]);
    const goal = await runGoal(
      system.astra,
      goalOf([ask({ prompt: 'n?', schema })], '{{ tasks.ask.output.object.n }}'),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 42 });
    expect(asked()[0]?.body.response_format?.json_schema?.schema).toMatchObject(schema);
  });

  test('is asked again when the answer does not follow the schema', async () => {
    model.script([{ object: { n: 'many' } }, { object: { n: 42 } }]);
    const retry = { initialIntervalSeconds: 0.05 };
    const goal = await runGoal(
      system.astra,
      goalOf([ask({ prompt: 'n?', schema }, { retry })], '{{ tasks.ask.output.object.n }}'),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 42 });
    expect(goal.task('ask').attempt).toBe(2);
    expect(goal.events.find(({ type }) => type === 'task.retrying')?.data).toMatchObject({
      error: { code: 'ASTRA_MODEL_FAILED' },
    });
  });

  test('is asked again no sooner than the endpoint allows', async () => {
    model.script([{ status: 429, headers: { 'retry-after': '1' } }, { text: 'now' }]);
    const retry = { initialIntervalSeconds: 0.01 };
    const goal = await runGoal(system.astra, goalOf([ask({ prompt: 'now?' }, { retry })]), async (id) => {
      await awaitTask(system.astra, id, 'ask', 'retrying');
    });
    expect(goal.view.status).toBe('completed');
    const retrying = goal.events.find((event) => event.type === 'task.retrying');
    expect(Date.parse(retrying!.data.nextAttemptAt) - Date.parse(retrying!.at)).toBeGreaterThanOrEqual(900);
  });
});

test('nothing unexpected was logged, and no log has the key', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain('sk-e2e-secret');
});
