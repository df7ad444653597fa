import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { criticalPath, remainingPathLengths } from './critical-path.ts';
import { randomTasks } from '../test/support/random-tasks.ts';

describe('criticalPath', () => {
  test('is empty for no tasks', () => {
    expect(criticalPath([])).toEqual([]);
  });

  test('is the longest chain, first task first', () => {
    const tasks = [
      { id: 'short', after: [] },
      { id: 'a', after: [] },
      { id: 'join', after: ['short', 'b'] },
      { id: 'b', after: ['a'] },
    ];
    expect(criticalPath(tasks)).toEqual(['a', 'b', 'join']);
  });

  test('takes the first in the plan of equally long chains', () => {
    const tasks = [
      { id: 'root', after: [] },
      { id: 'left', after: ['root'] },
      { id: 'right', after: ['root'] },
    ];
    expect(criticalPath(tasks)).toEqual(['root', 'left']);
  });

  test('leaves out dependencies that are not among the tasks', () => {
    expect(criticalPath([{ id: 'a', after: ['elsewhere'] }])).toEqual(['a']);
  });

  test('of any plan is a chain of dependencies as long as the longest remaining path', () => {
    fc.assert(
      fc.property(randomTasks(), (tasks) => {
        const path = criticalPath(tasks);
        const after = new Map(tasks.map((task) => [task.id, task.after]));
        path.slice(1).forEach((id, index) => expect(after.get(id)).toContain(path[index]));
        expect(path).toHaveLength(Math.max(0, ...remainingPathLengths(tasks)));
      }),
      { numRuns: 500 },
    );
  });

  test('with weights is the heaviest chain, not the one of most tasks', () => {
    const tasks = [
      { id: 'a', after: [] },
      { id: 'b', after: ['a'] },
      { id: 'heavy', after: [] },
      { id: 'c', after: ['b'] },
    ];
    expect(criticalPath(tasks, [1, 1, 9, 1])).toEqual(['heavy']);
    expect(criticalPath(tasks, [3, 3, 9, 3])).toEqual(['a', 'b', 'c']);
    expect(remainingPathLengths(tasks, [1, 1, 9, 1])).toEqual([3, 2, 9, 1]);
  });

  test('each remaining path is one longer than the longest of its dependents', () => {
    fc.assert(
      fc.property(randomTasks(), (tasks) => {
        const lengths = new Map(remainingPathLengths(tasks).map((length, index) => [tasks[index]!.id, length]));
        for (const { id } of tasks) {
          const dependents = tasks.filter(({ after }) => after.includes(id)).map((task) => lengths.get(task.id)!);
          expect(lengths.get(id)).toBe(1 + Math.max(0, ...dependents));
        }
      }),
      { numRuns: 500 },
    );
  });
});
