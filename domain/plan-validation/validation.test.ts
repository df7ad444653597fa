import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomTasks } from '../../test/support/random-tasks.ts';
import { AstraError } from '../errors.ts';
import { limits } from '../limits.ts';
import { valueAt } from '../json-pointer.ts';
import { isInline } from '../plan-outline.ts';
import type { ToolManifest } from '../schemas/tool.ts';
import { findCycles } from './find-cycles.ts';
import { malformedSubmissions } from './malformed-plans.ts';
import { validatePlan } from './validate-plan.ts';
import { validateSubmission } from './validate-submission.ts';

const manifest = (name: string, rest: Partial<ToolManifest> = {}): ToolManifest => ({
  name,
  description: name,
  inputSchema: {},
  outputSchema: {},
  workerClass: 'tools',
  execution: 'activity',
  effect: 'none',
  risk: 'low',
  timeoutSeconds: 30,
  cacheSeconds: 0,
  ...rest,
});
const catalogue = new Map(
  [
    manifest('http.fetch', { effect: 'idempotent' }),
    manifest('code.javascript', { execution: 'inline', timeoutSeconds: 5 }),
    manifest('shell.run', { workerClass: 'sandbox' }),
    manifest('text.render', { execution: 'inline' }),
    manifest('artifact.write'),
  ].map((tool) => [tool.name, tool]),
);

function refusal(run: () => unknown): AstraError {
  try {
    run();
  } catch (error) {
    if (error instanceof AstraError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
const planFaults = (plan: unknown): string[] =>
  refusal(() => validatePlan(plan, catalogue)).faults.map(({ pointer, message }) => `${pointer} ${message}`);
const wait = (id: string, after: readonly string[] = []): object => ({ id, kind: 'wait', seconds: 0, after });

describe('a malformed submission', () => {
  test('has a name of its own, and there are many', () => {
    expect(new Set(malformedSubmissions.map(({ name }) => name)).size).toBe(malformedSubmissions.length);
    expect(malformedSubmissions.length).toBeGreaterThan(45);
  });

  test.each(malformedSubmissions)('is refused: $name', ({ body, code, pointer }) => {
    const error = refusal(() => validateSubmission(body, catalogue));
    expect(error.code).toBe(code);
    expect(error.faults.map((fault) => fault.pointer)).toContain(pointer);
  });

  test.each(malformedSubmissions)('has a message for each fault and is small: $name', ({ body }) => {
    const { faults, message } = refusal(() => validateSubmission(body, catalogue));
    expect(message).toMatch(/^The (plan|body) is not valid: ./);
    for (const fault of faults) expect(fault.message).toMatch(/^.{5,600}$/s);
  });
});

describe('the faults of a plan', () => {
  test('are all found at once, those of well-formed tasks beside malformed ones too', () => {
    const tasks = [
      { id: 'a', kind: 'tool', tool: 'http.fecth', input: { x: '{{ 1 + }}' } },
      { id: 'b', kind: 'wait' },
      { id: 'c', kind: 'wait', seconds: 1, after: ['b', 'nope'], when: 'item' },
    ];
    expect(planFaults({ tasks, extra: 1 })).toEqual([
      '/tasks/1 a wait has exactly one of seconds and event',
      '/extra unknown field',
      '/tasks/0/tool unknown tool "http.fecth"; did you mean "http.fetch"?',
      expect.stringMatching(/^[/]tasks[/]0[/]input[/]x The expression "1 \+" is not valid, at character 4: /),
      '/tasks/2/when "item" is in scope only in the input of a map’s task',
      '/tasks/2/after/1 the plan has no task "nope"',
    ]);
  });

  test('show a cycle with its path', () => {
    expect(planFaults({ tasks: [wait('a', ['c']), wait('b', ['a']), wait('c', ['b'])] })).toEqual([
      '/tasks/1/after/0 tasks depend on themselves: a → c → b → a',
    ]);
  });

  test('show both ends of a long cycle', () => {
    const tasks = Array.from({ length: 5_000 }, (_, n) => wait(`t${n}`, [`t${(n + 1) % 5_000}`]));
    expect(planFaults({ tasks })).toEqual([
      '/tasks/4999/after/0 tasks depend on themselves: t0 → t1 → t2 → t3 → t4 → … 4991 more … → t4996 → t4997 → t4998 → t4999 → t0',
    ]);
  });

  test('say which task a wrong name may have meant', () => {
    expect(planFaults({ tasks: [wait('fetch-page'), wait('b', ['fetch-pag'])] })).toEqual([
      '/tasks/1/after/0 the plan has no task "fetch-pag"; did you mean "fetch-page"?',
    ]);
  });

  test('include its size in bytes, not in characters', () => {
    const input = { text: 'é'.repeat(limits.planBytes / 2) };
    expect(planFaults({ tasks: [{ id: 'a', kind: 'tool', tool: 'http.fetch', input }] })).toEqual([
      expect.stringMatching(/^ the plan has 10486\d\d bytes, at most 1048576 are allowed$/),
    ]);
  });

  test('are listed up to a bound and counted beyond it', () => {
    const tasks = Array.from({ length: 2_000 }, (_, n) => ({ id: `t${n}`, kind: 'tool', tool: 'x.y' }));
    const { faults, message } = refusal(() => validatePlan({ tasks }, catalogue));
    expect(faults).toHaveLength(500);
    expect(message).toContain('(and 1999 more)');
  });

  test('of any JSON at all are found without failing otherwise, each at a place that exists or is missing from one', () => {
    const noise = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.record({
        tasks: fc.array(
          fc.record({
            id: fc.string(),
            kind: fc.constantFrom('tool', 'map', 'goal', 'wait'),
            goal: fc.jsonValue(),
            when: fc.string(),
          }),
        ),
      }),
    );
    fc.assert(
      fc.property(noise, (plan) => {
        for (const { pointer } of refusal(() => validatePlan(plan, catalogue)).faults) {
          if (pointer === '') continue;
          const parent = valueAt(plan, pointer.slice(0, pointer.lastIndexOf('/')));
          expect(typeof parent).toBe('object');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a valid plan', () => {
  const plan = {
    tasks: [
      {
        id: 'list',
        title: 'List',
        kind: 'tool',
        tool: 'shell.run',
        input: { command: 'ls {{ goal.input.dir }}' },
        timeoutSeconds: 5,
      },
      {
        id: 'each',
        kind: 'map',
        over: 'tasks.list.output.files',
        after: ['probe', 'list'],
        maxConcurrency: 4,
        minSuccess: 0.5,
        onFailure: 'continue',
        task: {
          kind: 'tool',
          tool: 'code.javascript',
          retry: { maxAttempts: 2 },
          input: { n: '{{ index }}', f: '{{ item }}', p: '{{ tasks.probe.output }}' },
        },
      },
      { id: 'all', kind: 'map', over: '[1]', minSuccess: 'all', task: { kind: 'tool', tool: 'code.javascript' } },
      { id: 'probe', kind: 'wait', event: 'go', timeoutSeconds: 9 },
      {
        id: 'ok',
        kind: 'approval',
        prompt: 'Send {{ tasks.each.output }}?',
        when: 'size(tasks.list.output.files) > 0',
        after: ['each'],
      },
      {
        id: 'sub',
        kind: 'goal',
        onFailure: 'fail',
        goal: {
          input: { x: '{{ tasks.ok.output }}' },
          priority: '{{ 1 + 1 }}',
          plan: {
            tasks: [
              wait('inner'),
              { id: 'user', kind: 'tool', tool: 'http.fetch', input: { u: '{{ tasks.inner.output }}' } },
            ],
          },
        },
      },
      { id: 'made', kind: 'goal', goal: { plan: '{{ tasks.sub.output }}' } },
    ],
    output: { files: '{{ tasks.list.output }}' },
  };

  test('has an outline with its dependencies, its tools and no data', () => {
    expect(validatePlan(plan, catalogue).outline).toEqual({
      revision: 1,
      source: 'explicit',
      tasks: [
        { id: 'list', title: 'List', kind: 'tool', tool: 'shell.run', after: [], timeoutSeconds: 5 },
        {
          id: 'each',
          kind: 'map',
          tool: 'code.javascript',
          after: ['probe', 'list'],
          onFailure: 'continue',
          retry: { maxAttempts: 2 },
          maxConcurrency: 4,
          minSuccess: 0.5,
        },
        { id: 'all', kind: 'map', tool: 'code.javascript', after: [], minSuccess: 1 },
        { id: 'probe', kind: 'wait', after: [] },
        { id: 'ok', kind: 'approval', after: ['each', 'list'] },
        { id: 'sub', kind: 'goal', after: ['ok'] },
        { id: 'made', kind: 'goal', after: ['sub'] },
      ],
      tools: {
        'shell.run': { workerClass: 'sandbox', execution: 'activity', effect: 'none', timeoutSeconds: 30 },
        'code.javascript': { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 5 },
      },
    });
  });

  test('says how long timers take, and which templates sub-goals are from, unless that is found out later', () => {
    const { outline } = validatePlan(
      {
        tasks: [
          { id: 'nap', kind: 'wait', seconds: 0 },
          { id: 'nightly', kind: 'goal', goal: { template: { name: 'nightly', params: { a: '{{ goal.input.a }}' } } } },
          { id: 'any', kind: 'goal', goal: { template: { name: '{{ goal.input.name }}' } } },
          { id: 'later', kind: 'goal', goal: { template: '{{ goal.input.template }}' } },
        ],
      },
      catalogue,
    );
    expect(outline.tasks).toEqual([
      { id: 'nap', kind: 'wait', after: [], seconds: 0 },
      { id: 'nightly', kind: 'goal', after: [], template: 'nightly' },
      { id: 'any', kind: 'goal', after: [] },
      { id: 'later', kind: 'goal', after: [] },
    ]);
  });

  test('says which calls are risky, by their own word or their tool’s, and runs none of them in a segment', () => {
    const tools = new Map([
      ...catalogue,
      ['test.risky', manifest('test.risky', { execution: 'inline', risk: 'high' })],
    ]);
    const call = { kind: 'tool', tool: 'code.javascript' };
    const { outline } = validatePlan(
      {
        tasks: [
          { id: 'quick', ...call },
          { id: 'asks', ...call, risk: 'high' },
          { id: 'risky', ...call, tool: 'test.risky' },
          { id: 'each', kind: 'map', over: '[1]', task: { ...call, risk: 'high' } },
        ],
      },
      tools,
    );
    expect(outline.tasks.map(({ id, risk }) => [id, risk])).toEqual([
      ['quick', undefined],
      ['asks', 'high'],
      ['risky', 'high'],
      ['each', 'high'],
    ]);
    expect(outline.tasks.filter((task) => isInline(outline, task)).map(({ id }) => id)).toEqual(['quick']);
  });

  test('is returned as it is', () => {
    expect(validatePlan(plan, catalogue).plan).toEqual(plan);
    expect(validateSubmission({ plan, labels: { a: 'b' } }, catalogue)).toEqual({ plan, labels: { a: 'b' } });
  });

  test('may use params when it comes from a template', () => {
    const templated = { tasks: [{ id: 'a', kind: 'tool', tool: 'http.fetch', input: { url: '{{ params.url }}' } }] };
    expect(validatePlan(templated, catalogue, { source: 'template', revision: 2 }).outline).toMatchObject({
      source: 'template',
      revision: 2,
    });
    expect(validateSubmission({ plan: templated }, catalogue, { allowParams: true })).toEqual({ plan: templated });
  });

  test('may be nested as deep as the bound', () => {
    const nested = (depth: number): object =>
      depth === 0 ? wait('leaf') : { id: 'child', kind: 'goal', goal: { plan: { tasks: [nested(depth - 1)] } } };
    expect(validatePlan({ tasks: [nested(limits.subGoalDepth)] }, catalogue).plan.tasks).toHaveLength(1);
  });

  test('may hold as many tasks, and as many dependencies of one, as the bounds', () => {
    const tasks = Array.from({ length: limits.planTasks }, (_, n) => wait(`t${n}`));
    tasks[limits.planTasks - 1] = wait(
      'last',
      Array.from({ length: limits.fanIn }, (_, n) => `t${n}`),
    );
    expect(validatePlan({ tasks }, catalogue).outline.tasks.at(-1)?.after).toHaveLength(limits.fanIn);
  });
});

describe('the guides', () => {
  const blocksOf = (guide: string): string[] =>
    [
      ...readFileSync(new URL(`../../docs/guides/${guide}.md`, import.meta.url), 'utf8').matchAll(
        /```json\n(.*?)```/gs,
      ),
    ].map(([, block = '']) => block);

  test('show plans that are valid', () => {
    const [plan = '', subGoal = ''] = blocksOf('plans');
    expect(
      validatePlan(JSON.parse(plan), catalogue).outline.tasks.map(({ id, after }) => `${id}: ${after.join()}`),
    ).toEqual(['list: ', 'each: list', 'ok: each', 'page: ok,each']);
    const pick = { id: 'pick', kind: 'wait', seconds: 0 };
    expect(validatePlan({ tasks: [pick, JSON.parse(subGoal)] }, catalogue).outline.tasks[1]?.after).toEqual(['pick']);
    const tasks: unknown = JSON.parse(`[${blocksOf('expressions')[0] ?? ''}]`);
    expect(validatePlan({ tasks }, catalogue).outline.tasks[1]?.after).toEqual(['fetch']);
  });
});

describe('findCycles', () => {
  test('finds none in any plan without cycles', () => {
    fc.assert(
      fc.property(randomTasks(), (tasks) => {
        expect(
          findCycles(
            tasks.map(({ id, after }) => ({ id, dependencies: after })),
            10,
          ),
        ).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test('finds one in any plan with one edge too many, and its path is made of edges', () => {
    fc.assert(
      fc.property(randomTasks(), fc.nat(), (tasks, seed) => {
        const edges = tasks.flatMap(({ id, after }) => after.map((dependency) => [id, dependency] as const));
        fc.pre(edges.length > 0);
        const [dependent, dependency] = edges[seed % edges.length]!;
        const dependents = tasks.map(({ id, after }) => ({
          id,
          dependencies: id === dependency ? [...after, dependent] : after,
        }));
        const [cycle = []] = findCycles(dependents, 10);
        expect(cycle.length).toBeGreaterThan(1);
        expect(cycle.at(-1)).toBe(cycle[0]);
        cycle.slice(1).forEach((id, index) => {
          expect(dependents.find((task) => task.id === cycle[index])?.dependencies).toContain(id);
        });
      }),
      { numRuns: 500 },
    );
  });
});
