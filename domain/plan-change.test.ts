import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { estimateRun } from './estimate.ts';
import { changePlan, diffPlans, editInputs, reviseOutline } from './plan-change.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import { chosenTasks, innerChoice, tasksToRerun } from './rerun.ts';
import type { Plan, Task } from './schemas/plan.ts';
import type { TaskStatus } from './schemas/goal.ts';

const task = (id: string, input = {}): Task => ({ id, kind: 'tool', tool: 'a.b', input });
const planOf = (...ids: string[]): Plan => ({ tasks: ids.map((id) => task(id)) });
const outlined = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'a.b', after });

describe('a change of a plan', () => {
  test('removes, replaces and adds', () => {
    const changed = changePlan(planOf('a', 'b', 'c'), {
      baseRevision: 1,
      remove: ['a'],
      replace: [task('b', { x: 1 })],
      add: [task('d')],
    });
    expect(changed.tasks).toEqual([task('b', { x: 1 }), task('c'), task('d')]);
    expect(diffPlans(planOf('a', 'b', 'c'), changed)).toEqual({
      added: ['d'],
      removed: ['a'],
      replaced: ['b'],
      kept: ['c'],
    });
  });

  test('is refused for tasks that are not there, or are there already, all at once', () => {
    const change = { baseRevision: 1, remove: ['x'], replace: [task('y')], add: [task('a')] };
    expect(() => changePlan(planOf('a'), change)).toThrow(
      expect.objectContaining({
        code: 'ASTRA_PLAN_INVALID',
        faults: [
          { pointer: '/add/0/id', message: 'the plan has a task "a"' },
          { pointer: '/remove/0', message: 'the plan has no task "x"' },
          { pointer: '/replace/0/id', message: 'the plan has no task "y"' },
        ],
      }),
    );
  });

  test('is none for tasks that say the same in another order', () => {
    const before: Plan = { tasks: [{ id: 'a', kind: 'tool', tool: 'a.b', input: { x: 1, y: 2 } }] };
    const after: Plan = { tasks: [{ kind: 'tool', tool: 'a.b', id: 'a', input: { y: 2, x: 1 } }] };
    expect(diffPlans(before, after).kept).toEqual(['a']);
  });

  test('numbers the runs of what begins anew by the revision', () => {
    const outline = (revision: number, ...tasks: TaskOutline[]): PlanOutline => ({
      revision,
      source: 'explicit',
      tasks,
      tools: {},
    });
    const first = outline(1, outlined('a'), outlined('b'));
    const second = reviseOutline(outline(2, outlined('a'), outlined('b')), first, new Set(['b']));
    expect(second.tasks.map(({ run }) => run)).toEqual([undefined, 2]);
    const third = reviseOutline(outline(3, outlined('a'), outlined('b'), outlined('c')), second, new Set(['c']));
    expect(third.tasks.map(({ run }) => run)).toEqual([undefined, 2, 3]);
    const guarded: TaskOutline = { ...outlined('a'), guarded: true };
    const loosened = reviseOutline(outline(2, outlined('a')), outline(1, guarded), new Set());
    expect(loosened.tasks, 'who is asked about it still answers').toEqual([guarded]);
    expect(reviseOutline(outline(2, outlined('a')), outline(1, guarded), new Set(['a'])).tasks[0]?.guarded).toBe(
      undefined,
    );
  });

  test('gives inputs to tasks that take some', () => {
    const plan: Plan = { tasks: [task('a'), { id: 'nap', kind: 'wait', seconds: 1 }] };
    expect(editInputs(plan, { a: { x: 1 } }).tasks[0]).toEqual(task('a', { x: 1 }));
    expect(() => editInputs(plan, { nap: {} })).toThrow('/inputs/nap');
  });
});

describe('what runs again', () => {
  const tasks = [outlined('a'), outlined('b', 'a'), outlined('c', 'b'), outlined('d', 'a')];
  const ended = (statuses: Record<string, TaskStatus>) => (id: string) => statuses[id];

  test('is what has not ended well, and what follows it', () => {
    const statusOf = ended({ a: 'completed', b: 'failed', c: 'skipped', d: 'completed' });
    expect(tasksToRerun(tasks, statusOf, 'failed')).toEqual({ willRun: ['b', 'c'], reused: ['a', 'd'] });
  });

  test('is what is chosen, with a path into a sub-goal for its task', () => {
    const statusOf = ended({ a: 'completed', b: 'completed', c: 'completed', d: 'completed' });
    expect(tasksToRerun(tasks, statusOf, ['b/inner'])).toEqual({ willRun: ['b', 'c'], reused: ['a', 'd'] });
    expect(() => tasksToRerun(tasks, statusOf, ['x'])).toThrow('the plan has no task "x"');
    expect(chosenTasks({ tasks: 'failed', inputs: { a: {} } })).toEqual(['a']);
  });

  test('of a sub-goal is what failed in it, unless it is chosen whole', () => {
    const sub = { id: 'sub', kind: 'goal' } as const;
    expect(innerChoice(sub, { tasks: 'failed' })).toBe('failed');
    expect(innerChoice(sub, { tasks: ['sub/x', 'sub/y/z'] })).toEqual(['x', 'y/z']);
    expect(innerChoice(sub, { tasks: ['sub'] })).toBeNull();
    expect(innerChoice(sub, { tasks: 'failed', inputs: { sub: {} } })).toBeNull();
    expect(innerChoice({ id: 'a', kind: 'tool' }, { tasks: 'failed' })).toBeNull();
  });

  test('never reuses what depends on what runs', () => {
    const statuses: readonly TaskStatus[] = ['completed', 'failed', 'skipped', 'cancelled'];
    const graph = fc.array(fc.tuple(fc.constantFrom(...statuses), fc.array(fc.nat(), { maxLength: 3 })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(graph, fc.array(fc.nat({ max: 19 }), { maxLength: 3 }), (nodes, chosen) => {
        const plan = nodes.map(([, after], at) =>
          outlined(`t${at}`, ...new Set(at === 0 ? [] : after.map((each) => `t${each % at}`))),
        );
        const picked = chosen.filter((at) => at < nodes.length).map((at) => `t${at}`);
        const statusOf = (id: string) => nodes[Number(id.slice(1))]?.[0];
        const { willRun, reused } = tasksToRerun(plan, statusOf, picked);
        const again = new Set(willRun);
        expect([...willRun, ...reused].toSorted()).toEqual(plan.map(({ id }) => id).toSorted());
        for (const id of picked) expect(again.has(id)).toBe(true);
        for (const { id, after } of plan) {
          if (again.has(id)) continue;
          expect(['completed', 'skipped']).toContain(statusOf(id));
          expect(after.filter((each) => again.has(each))).toEqual([]);
        }
      }),
    );
  });
});

test('an estimate is the longest chain, and what others of the tool cost where nothing is known', () => {
  const tasks = [outlined('a'), outlined('b', 'a'), outlined('c', 'a'), outlined('new', 'b')];
  const costs: Record<string, { usd: number; seconds: number }> = {
    a: { usd: 0.5, seconds: 1 },
    b: { usd: 0.25, seconds: 3 },
    c: { usd: 0, seconds: 2 },
  };
  const costOf = (id: string) => costs[id];
  expect(estimateRun(tasks, new Set(['b', 'c', 'new']), { costOf })).toEqual({ usd: '0.5', seconds: 5 });
  expect(estimateRun(tasks, new Set(), { costOf })).toEqual({ usd: '0', seconds: 0 });
  // Of what the goal itself has never done other goals tell how long it takes.
  const strange = [...tasks, { ...outlined('other', 'new'), tool: 'shell.run' }];
  const known = new Map([['shell.run', 20]]);
  expect(estimateRun(strange, new Set(['new', 'other']), { costOf, known })).toEqual({ usd: '0.25', seconds: 22 });
});
