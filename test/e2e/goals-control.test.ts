import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../domain/limits.ts';
import { finishedGoal, runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { code, echo, fetching, goalOf, shell, type Task } from '../support/e2e/tasks.ts';

let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const statuses = ({ graph }: FinishedGoal): Record<string, string> =>
  Object.fromEntries(graph.tasks.map(({ id, status }) => [id, status]));
const reasonOf = (goal: FinishedGoal, taskId: string): unknown =>
  goal.events.flatMap((event) => (event.type === 'task.skipped' && event.taskId === taskId ? [event.data.reason] : []));
const broken = (id: string, rest: Partial<Task> = {}): Task =>
  ({ ...code(id, '() => { throw new Error("broken"); }'), ...rest }) as Task;

describe('conditions', () => {
  test('run or skip a task, and what depends on skipped tasks alone is skipped with it', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          echo('probe', 7),
          echo('yes', 'ran', { when: 'tasks.probe.output == 7' }),
          echo('no', 'ran', { when: 'tasks.probe.output == 8' }),
          echo('after_no', 'ran', { after: ['no'] }),
          echo('after_after_no', 'ran', { after: ['after_no'] }),
          echo('after_both', '{{ [tasks.yes.output, tasks.no.output] }}'),
          { id: 'nap', kind: 'wait', seconds: 0, when: 'tasks.no.output == null' },
          { id: 'asked', kind: 'approval', prompt: 'Never asked', when: 'false' },
        ],
        '{{ tasks.after_both.output }}',
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: ['ran', null] });
    expect(statuses(goal)).toEqual({
      probe: 'completed',
      yes: 'completed',
      no: 'skipped',
      after_no: 'skipped',
      after_after_no: 'skipped',
      after_both: 'completed',
      nap: 'skipped',
      asked: 'skipped',
    });
    expect(reasonOf(goal, 'no')).toEqual(['condition']);
    expect(reasonOf(goal, 'after_no')).toEqual(['upstream_skipped']);
    expect(reasonOf(goal, 'after_after_no')).toEqual(['upstream_skipped']);
    expect((await system.astra.approvals.list({ goalId: goal.id })).items).toEqual([]);
  });

  test('that cannot be evaluated fail their task', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([echo('a', 1), echo('b', 1, { when: '1 / (tasks.a.output - 1) > 0' })]),
    );
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED' } });
    expect(goal.task('b')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_EXPRESSION_FAILED' } });
  });
});

describe('failures', () => {
  test('fail the goal: what runs may end, nothing new starts', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([
        shell('slow', 'sleep 1; echo done'),
        shell('soon', 'sleep 0.2'),
        broken('bad', { after: ['soon'] }),
        echo('after_bad', 1, { after: ['bad'] }),
        echo('after_slow', 1, { after: ['slow'] }),
        { id: 'never', kind: 'wait', event: 'never.comes' },
      ]),
    );
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED', retryable: false } });
    expect(goal.view.error?.message).toContain('"bad"');
    expect(statuses(goal)).toEqual({
      slow: 'completed',
      soon: 'completed',
      bad: 'failed',
      after_bad: 'skipped',
      after_slow: 'skipped',
      never: 'cancelled',
    });
  });

  test('that may happen count as settled with a null output', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [broken('bad', { onFailure: 'continue' }), echo('next', { was: '{{ tasks.bad.output }}' })],
        '{{ tasks.next.output }}',
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: { was: null }, error: null });
    expect(goal.view.progress).toMatchObject({ total: 2, completed: 1, failed: 1 });
    expect(goal.task('bad')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TOOL_FAILED' } });
  });

  test('are tried again, each time after a longer pause', async () => {
    const retry = { maxAttempts: 3, initialIntervalSeconds: 0.2, backoffCoefficient: 2 };
    const goal = await runGoal(system.astra, goalOf([fetching('flaky', `${web.url}/flaky?fail=2`, { retry })]));
    expect(goal.view.status).toBe('completed');
    expect(goal.task('flaky')).toMatchObject({ status: 'completed', attempt: 3, error: null, waitingFor: null });
    const retrying = goal.events.filter((event) => event.type === 'task.retrying');
    expect(retrying.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(retrying.map(({ data }) => data.error)).toMatchObject([{ code: 'ASTRA_TOOL_FAILED', retryable: true }, {}]);
    const pausesMs = retrying.map(({ at, data }) => Date.parse(data.nextAttemptAt) - Date.parse(at));
    expect(pausesMs[0]).toBeGreaterThanOrEqual(190);
    expect(pausesMs[1]).toBeGreaterThanOrEqual(390);
    const endedAt = Date.parse(goal.events.find(({ type }) => type === 'task.completed')!.at);
    expect(endedAt, 'the pause was kept').toBeGreaterThanOrEqual(Date.parse(retrying[1]!.data.nextAttemptAt) - 5);
    expect(web.paths.filter((path) => path === '/flaky')).toHaveLength(3);
  });

  test('are final after the last attempt, and at once for codes that are not to be tried again', async () => {
    const retry = { maxAttempts: 2, initialIntervalSeconds: 0.01 };
    const goal = await runGoal(
      system.astra,
      goalOf([
        fetching('twice', `${web.url}/twice?fail=9`, { retry, onFailure: 'continue' }),
        fetching('once', `${web.url}/once?fail=9`, {
          retry: { ...retry, nonRetryableCodes: ['ASTRA_TOOL_FAILED'] },
          onFailure: 'continue',
        }),
        fetching('denied', 'http://127.0.0.2/', { retry, onFailure: 'continue' }),
        code('wrong', 'no function', null, { retry, onFailure: 'continue' }),
      ]),
    );
    expect(goal.view.status).toBe('completed');
    const outcome = (id: string) => ({ attempt: goal.task(id).attempt, code: goal.task(id).error?.code });
    expect(outcome('twice')).toEqual({ attempt: 2, code: 'ASTRA_TOOL_FAILED' });
    expect(outcome('once')).toEqual({ attempt: 1, code: 'ASTRA_TOOL_FAILED' });
    expect(outcome('denied')).toEqual({ attempt: 1, code: 'ASTRA_EGRESS_DENIED' });
    expect(outcome('wrong')).toEqual({ attempt: 1, code: 'ASTRA_TOOL_INPUT_INVALID' });
    expect(web.paths.filter((path) => path === '/twice' || path === '/once').toSorted()).toEqual([
      '/once',
      '/twice',
      '/twice',
    ]);
  });

  test('are time-outs for tools that take longer than their task allows', async () => {
    const rest = { timeoutSeconds: 0.4, retry: { maxAttempts: 1 }, onFailure: 'continue' } as const;
    const goal = await runGoal(
      system.astra,
      goalOf([
        fetching('web', `${web.url}/slow?delay=60000`, rest),
        shell('shell', 'sleep 60', rest),
        code('code', '() => { while (true); }', null, rest),
      ]),
    );
    expect(goal.view.status).toBe('completed');
    for (const id of ['web', 'shell', 'code']) {
      expect(goal.task(id), id).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'ASTRA_TOOL_TIMEOUT' } });
    }
  });
});

describe('outputs', () => {
  test('beyond 8 KiB are artifacts, whose value the next task gets', async () => {
    const characters = limits.inlineOutputBytes + 1;
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          code('big', `() => ({ text: "x".repeat(${characters}) })`),
          code('size', '(text) => text.length', '{{ tasks.big.output.text }}'),
          {
            id: 'shell',
            kind: 'tool',
            tool: 'shell.run',
            input: { command: 'wc -c', stdin: '{{ tasks.big.output.text }}' },
          },
        ],
        { inline: '{{ tasks.size.output }}', activity: '{{ int(tasks.shell.output.stdout.trim()) }}' },
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: { inline: characters, activity: characters } });
    const { output, artifact } = goal.task('big');
    expect(output).toBeUndefined();
    expect(artifact).toMatchObject({ mediaType: 'application/json', sizeBytes: characters + '{"text":""}'.length });
  });

  test('beyond 16 MiB stay references', async () => {
    const bytes = limits.resolvedOutputBytes;
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          {
            id: 'huge',
            kind: 'tool',
            tool: 'http.fetch',
            input: { url: `${web.url}/huge?bytes=${bytes}`, maxBytes: bytes },
          },
          echo('next', '{{ tasks.huge.output }}'),
        ],
        '{{ tasks.next.output.sizeBytes }}',
      ),
    );
    expect(goal.view.status, goal.view.error?.message).toBe('completed');
    expect(goal.view.output).toBeGreaterThan(bytes);
    expect(goal.task('next').output).toEqual(goal.task('huge').artifact);
  });

  test('of goals beyond 8 KiB are artifacts that can be downloaded', async () => {
    const text = 'x'.repeat(limits.inlineOutputBytes);
    const goal = await runGoal(
      system.astra,
      goalOf([code('big', `() => "x".repeat(${text.length})`)], '{{ tasks.big.output }}'),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: null });
    const result = await system.astra.goals.result(goal.id);
    const artifact = result.status === 'completed' ? result.artifact : undefined;
    expect(artifact).toEqual(goal.view.outputArtifact);
    const response = await system.astra.artifacts.download(artifact!.id);
    expect(await response.json()).toBe(text);
  });

  test('that a graph leaves out for their size are read with the task', async () => {
    const goal = await runGoal(system.astra, goalOf([code('long', '() => "x".repeat(5000)')]));
    expect(goal.task('long').output).toBeUndefined();
    expect((await system.astra.goals.task(goal.id, 'long')).output).toBe('x'.repeat(5_000));
  });

  test('of a goal that cannot be evaluated fail it', async () => {
    const goal = await runGoal(system.astra, goalOf([echo('a', 0)], '{{ 1 / tasks.a.output }}'));
    expect(goal.view).toMatchObject({ status: 'failed', output: null, error: { code: 'ASTRA_EXPRESSION_FAILED' } });
    expect(goal.task('a').status).toBe('completed');
  });
});

test('a goal without output has a null result, and documents count as its context', async () => {
  const documents = [{ kind: 'rule', title: 'Be kind', text: 'Always.' } as const];
  const { id } = await system.astra.goals.submit(goalOf([echo('a', 1)], undefined, { documents }));
  const goal = await finishedGoal(system.astra, id);
  expect(await system.astra.goals.result(id)).toMatchObject({ status: 'completed', output: null });
  expect(goal.events.find(({ type }) => type === 'goal.context_assembled')?.data).toEqual({
    documents: 1,
    sizeBytes: 7,
  });
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
