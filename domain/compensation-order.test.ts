import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomTasks } from '../test/support/random-tasks.ts';
import { compensationOrder } from './compensation-order.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';

const binding = { workerClass: 'tools', execution: 'activity', effect: 'idempotent', timeoutSeconds: 10 } as const;
const outlineOf = (tasks: readonly TaskOutline[]): PlanOutline => ({
  revision: 1,
  source: 'explicit',
  tasks,
  tools: { 'test.undoable': { ...binding, compensable: true }, 'test.effect': binding },
});
const task = (id: string, after: readonly string[] = [], rest: Partial<TaskOutline> = {}): TaskOutline => ({
  id,
  kind: 'tool',
  tool: 'test.undoable',
  after,
  ...rest,
});
const ids = (tasks: readonly TaskOutline[]): readonly (readonly string[])[] =>
  compensationOrder(outlineOf(tasks)).map((wave) => wave.map(({ id }) => id));

test('what others depend on comes after them; what is as far from the end, beside', () => {
  const tasks = [task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b', 'c']), task('alone')];
  expect(ids(tasks)).toEqual([['d', 'alone'], ['b', 'c'], ['a']]);
});

test('only tools that can take back what they did are in it, and sub-goals', () => {
  const { tool: _, ...child } = task('child', ['b'], { kind: 'goal' });
  const tasks = [task('a', [], { tool: 'test.effect' }), task('b', ['a'], { kind: 'map' }), child];
  expect(ids(tasks)).toEqual([['child'], ['b']]);
  expect(ids([task('a', [], { tool: 'test.effect' })])).toEqual([]);
});

test('holds for any graph', () => {
  fc.assert(
    fc.property(randomTasks(), (graph) => {
      const tasks = graph.map(({ id, after }) => task(id, after));
      const order = ids(tasks);
      const waveOf = new Map(order.flatMap((wave, at) => wave.map((id) => [id, at] as const)));
      expect(waveOf.size).toBe(tasks.length);
      for (const { id, after } of tasks)
        for (const before of after) expect(waveOf.get(before)).toBeGreaterThan(waveOf.get(id)!);
    }),
  );
});
