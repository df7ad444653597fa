import type { ErrorCode } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { limits } from '../limits.ts';

/** A body of `POST /v1/goals` that must be refused, and how. Names only tools that Astra has built in. */
export interface MalformedSubmission {
  readonly name: string;
  readonly body: Json;
  readonly code: ErrorCode;
  /** Of one of the faults. */
  readonly pointer: string;
}

const tool = (id: string, rest: JsonObject = {}): JsonObject => ({ id, kind: 'tool', tool: 'http.fetch', ...rest });
const wait = (id: string, rest: JsonObject = {}): JsonObject => ({ id, kind: 'wait', seconds: 0, ...rest });
const each = (id: string, rest: JsonObject = {}): JsonObject => ({
  id,
  kind: 'map',
  over: '[1, 2]',
  task: { kind: 'tool', tool: 'http.fetch', input: { n: '{{ item }}' } },
  ...rest,
});
const child = (goal: JsonObject): JsonObject => ({ id: 'child', kind: 'goal', goal });
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `t${n}`);
const numbered = (count: number): JsonObject[] => ids(count).map((id) => wait(id));
const nested = (depth: number): JsonObject => ({
  plan: { tasks: [depth === 0 ? wait('leaf') : child(nested(depth - 1))] },
});
const deepList = (depth: number): Json => (depth === 0 ? 0 : [deepList(depth - 1)]);

const plan = (name: string, tasks: Json, pointer: string, output?: Json): MalformedSubmission => ({
  name,
  body: { plan: { tasks, ...(output !== undefined && { output }) } },
  code: 'ASTRA_PLAN_INVALID',
  pointer: `/plan${pointer}`,
});
const body = (name: string, value: Json, pointer: string): MalformedSubmission => ({
  name,
  body: value,
  code: 'ASTRA_BODY_INVALID',
  pointer,
});

const bodies: readonly MalformedSubmission[] = [
  body('a body that is a list', [], ''),
  body('an empty body', {}, ''),
  body('a field that does not exist', { objective: 'x', plna: {} }, '/plna'),
  body('both a plan and a template', { plan: { tasks: [wait('a')] }, template: { name: 'x' } }, '/template'),
  body('an empty objective', { objective: '' }, '/objective'),
  body('a priority out of range', { objective: 'x', priority: 9 }, '/priority'),
  body('a label with a bad key', { objective: 'x', labels: { 'a/b': 'c' } }, '/labels/a~1b'),
  body('a label that is a number', { objective: 'x', labels: { a: 1 } }, '/labels/a'),
  body(
    'a document of an unknown kind',
    { objective: 'x', documents: [{ kind: 'poem', title: 't', text: '' }] },
    '/documents/0/kind',
  ),
  body('a document without text', { objective: 'x', documents: [{ kind: 'rule', title: 't' }] }, '/documents/0/text'),
  body('an input that is a list', { objective: 'x', input: [] }, '/input'),
  body('a start that is no time', { objective: 'x', startAt: 'tomorrow' }, '/startAt'),
  body('a delay of more than a year', { objective: 'x', delaySeconds: 31_536_001 }, '/delaySeconds'),
  body('a start and a delay', { objective: 'x', startAt: '2026-01-01T00:00:00Z', delaySeconds: 1 }, '/delaySeconds'),
  body('a dependency that is no id', { objective: 'x', dependsOnGoalIds: ['a'] }, '/dependsOnGoalIds/0'),
  body('a cascade with blanks', { objective: 'x', cascadeId: 'all of it' }, '/cascadeId'),
  body('an unknown approval setting', { objective: 'x', approval: { plan: 'never' } }, '/approval/plan'),
  body('deciders that name nobody', { objective: 'x', approval: { deciders: {} } }, '/approval/deciders'),
  body(
    'more approvals than may decide',
    { objective: 'x', approval: { required: 2, deciders: { subjects: ['a'] } } },
    '/approval/required',
  ),
  body('an agent without a name', { objective: 'x', agentId: '' }, '/agentId'),
  body(
    'faults of the body and of the plan at once',
    { priority: 0, plan: { tasks: [tool('a', { tool: 'no.tool' })] } },
    '/plan/tasks/0/tool',
  ),
  body('an input nested too deeply', { objective: 'x', input: { a: deepList(limits.jsonDepth) } }, ''),
];

const shapes: readonly MalformedSubmission[] = [
  { ...plan('a plan that is a text', [], ''), body: { plan: 'tasks' } },
  { ...plan('a plan that is null', [], ''), body: { plan: null } },
  { ...plan('a plan without tasks', [], '/tasks'), body: { plan: {} } },
  plan('a plan with an empty list of tasks', [], '/tasks'),
  { ...plan('a field of a plan that does not exist', [], '/steps'), body: { plan: { tasks: [wait('a')], steps: [] } } },
  plan('a task that is null', [null], '/tasks/0'),
  plan('a task without an id', [{ kind: 'wait', seconds: 1 }], '/tasks/0/id'),
  plan('an id that begins with a digit', [wait('1a')], '/tasks/0/id'),
  plan('an id that every object has', [wait('constructor')], '/tasks/0/id'),
  plan('a task without a kind', [{ id: 'a' }], '/tasks/0/kind'),
  plan('a task of an unknown kind', [{ id: 'a', kind: 'magic' }], '/tasks/0/kind'),
  plan('a field of a task that does not exist', [wait('a', { afer: ['b'] })], '/tasks/0/afer'),
  plan('a tool task without a tool', [{ id: 'a', kind: 'tool' }], '/tasks/0/tool'),
  plan('a tool input that is a text', [tool('a', { input: 'x' })], '/tasks/0/input'),
  plan('a time-out of nothing', [tool('a', { timeoutSeconds: 0 })], '/tasks/0/timeoutSeconds'),
  plan('an unknown way to fail', [tool('a', { onFailure: 'ignore' })], '/tasks/0/onFailure'),
  plan('a wait that parks', [{ id: 'a', kind: 'wait', seconds: 1, onFailure: 'park' }], '/tasks/0/onFailure'),
  plan('a retry without attempts', [tool('a', { retry: { maxAttempts: 0 } })], '/tasks/0/retry/maxAttempts'),
  plan('an unknown retry setting', [tool('a', { retry: { attempts: 3 } })], '/tasks/0/retry/attempts'),
  plan('a wait for nothing', [{ id: 'a', kind: 'wait' }], '/tasks/0'),
  plan('a wait for a time and an event', [wait('a', { event: 'e' })], '/tasks/0'),
  plan('an approval without a prompt', [{ id: 'a', kind: 'approval' }], '/tasks/0/prompt'),
  plan(
    'what comes after no expiry',
    [{ id: 'a', kind: 'approval', prompt: '?', onExpiry: 'approve' }],
    '/tasks/0/onExpiry',
  ),
  plan('a risk that cannot be chosen', [tool('a', { risk: 'low' })], '/tasks/0/risk'),
  plan('a map without a list', [{ id: 'm', kind: 'map', task: { kind: 'tool', tool: 'http.fetch' } }], '/tasks/0/over'),
  plan('a map of maps', [each('m', { task: each('inner') })], '/tasks/0/task/kind'),
  plan('a map that must succeed more than always', [each('m', { minSuccess: 1.5 })], '/tasks/0/minSuccess'),
  plan('a map with an item id', [each('m', { task: tool('x') })], '/tasks/0/task/id'),
];

const graphs: readonly MalformedSubmission[] = [
  plan('two tasks of one id', [wait('a'), wait('b'), wait('a')], '/tasks/2/id'),
  plan('a dependency that does not exist', [wait('a', { after: ['fetsh'] }), wait('fetch')], '/tasks/0/after/0'),
  plan(
    'a reference to a task that does not exist',
    [tool('a', { input: { x: ['{{ tasks.b.output }}'] } })],
    '/tasks/0/input/x/0',
  ),
  plan('an output of a task that does not exist', [wait('a')], '/output/x', { x: '{{ tasks.b.output }}' }),
  plan('a task after itself', [wait('a', { after: ['a'] })], '/tasks/0/after/0'),
  plan('a task that reads its own output', [tool('a', { input: { x: '{{ tasks.a.output }}' } })], '/tasks/0/input/x'),
  plan('two tasks after each other', [wait('a', { after: ['b'] }), wait('b', { after: ['a'] })], '/tasks/1/after/0'),
  plan(
    'a reference to a task that is downstream',
    [tool('a', { input: { x: '{{ tasks.c.output }}' } }), wait('b', { after: ['a'] }), wait('c', { after: ['b'] })],
    '/tasks/1/after/0',
  ),
  plan(
    'a condition on a task that is downstream',
    [wait('a', { when: 'tasks.b.output' }), wait('b', { after: ['a'] })],
    '/tasks/1/after/0',
  ),
  plan('a tool that does not exist', [tool('a', { tool: 'http.fetsh' })], '/tasks/0/tool'),
  plan(
    'a tool of a map that does not exist',
    [each('m', { task: { kind: 'tool', tool: 'fetch' } })],
    '/tasks/0/task/tool',
  ),
  plan('more tasks than a plan may have', numbered(limits.planTasks + 1), '/tasks'),
  plan(
    'more written dependencies than a task may have',
    [...numbered(limits.fanIn + 1), wait('z', { after: ids(limits.fanIn + 1) })],
    `/tasks/${limits.fanIn + 1}/after`,
  ),
  plan(
    'more references than a task may have dependencies',
    [
      ...numbered(limits.fanIn + 1),
      tool('z', { input: { all: ids(limits.fanIn + 1).map((id) => `{{ tasks.${id}.output }}`) } }),
    ],
    `/tasks/${limits.fanIn + 1}`,
  ),
];

const expressions: readonly MalformedSubmission[] = [
  plan('a condition that is no expression', [wait('a', { when: '1 +' })], '/tasks/0/when'),
  plan('a condition within braces', [wait('a', { when: '{{ true }}' })], '/tasks/0/when'),
  plan('an empty condition', [wait('a', { when: '' })], '/tasks/0/when'),
  plan(
    'a condition that is too long',
    [wait('a', { when: `"${'x'.repeat(limits.expressionChars)}"` })],
    '/tasks/0/when',
  ),
  plan(
    'an expression in an input that is none',
    [tool('a', { input: { 'a/b': { c: '{{ ( }}' } } })],
    '/tasks/0/input/a~1b/c',
  ),
  plan('braces that are never closed', [tool('a', { input: { u: 'https://{{ goal.input.host' } })], '/tasks/0/input/u'),
  plan('an unknown name', [tool('a', { input: { u: '{{ inputs.url }}' } })], '/tasks/0/input/u'),
  plan('an unknown function', [wait('a', { when: 'goal.input.x.matches("a")' })], '/tasks/0/when'),
  plan('a whole goal', [tool('a', { input: { u: '{{ goal }}' } })], '/tasks/0/input/u'),
  plan(
    'a task that is looked up',
    [tool('a', { input: { u: '{{ tasks[goal.input.t].output }}' } })],
    '/tasks/0/input/u',
  ),
  plan('an item outside of a map', [tool('a', { input: { u: '{{ item }}' } })], '/tasks/0/input/u'),
  plan('an item in the list of a map', [each('m', { over: 'item.all' })], '/tasks/0/over'),
  plan('params outside of a template', [tool('a', { input: { u: '{{ params.url }}' } })], '/tasks/0/input/u'),
  plan(
    'an expression nested too deeply',
    [wait('a', { when: `${'('.repeat(200)}true${')'.repeat(200)}` })],
    '/tasks/0/when',
  ),
  plan('an item in the output of a plan', [wait('a')], '/output', '{{ item }}'),
  plan('a bad expression in a prompt', [{ id: 'a', kind: 'approval', prompt: 'Pay {{ 1 + }}?' }], '/tasks/0/prompt'),
];

const subGoals: readonly MalformedSubmission[] = [
  plan('a field of a sub-goal that does not exist', [child({ objective: 'x', goal: 1 })], '/tasks/0/goal/goal'),
  plan('a sub-goal without a plan', [child({ input: {} })], '/tasks/0/goal'),
  plan('a sub-goal of a bad priority', [child({ objective: 'x', priority: 7 })], '/tasks/0/goal/priority'),
  plan(
    'a sub-goal that waits for goals',
    [child({ objective: 'x', dependsOnGoalIds: ['gol_0123456789abcdefghij'] })],
    '/tasks/0/goal/dependsOnGoalIds',
  ),
  plan('a bad expression in a sub-goal', [child({ objective: '{{ tasks.x }}' })], '/tasks/0/goal/objective'),
  plan('a plan of a sub-goal without tasks', [child({ plan: {} })], '/tasks/0/goal/plan/tasks'),
  plan(
    'a plan of a sub-goal with an unknown tool',
    [child({ plan: { tasks: [tool('a', { tool: 'x.y' })] } })],
    '/tasks/0/goal/plan/tasks/0/tool',
  ),
  plan(
    'a plan of a sub-goal that reads a task of its parent',
    [wait('a'), child({ plan: { tasks: [tool('b', { input: { x: '{{ tasks.a.output }}' } })] } })],
    '/tasks/1/goal/plan/tasks/0/input/x',
  ),
  plan(
    'a sub-goal that reads a task of its child',
    [child({ input: { x: '{{ tasks.b.output }}' }, plan: { tasks: [wait('b')] } })],
    '/tasks/0/goal/input/x',
  ),
  plan(
    'goals nested too deeply',
    [child(nested(limits.subGoalDepth))],
    `/tasks/0/goal${'/plan/tasks/0/goal'.repeat(limits.subGoalDepth)}/plan`,
  ),
];

export const malformedSubmissions: readonly MalformedSubmission[] = [
  ...bodies,
  ...shapes,
  ...graphs,
  ...expressions,
  ...subGoals,
];
