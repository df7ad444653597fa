import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomTasks } from '../test/support/random-tasks.ts';
import type { TaskOutline } from './plan-outline.ts';
import { createTaskGraph, type SettledStatus, type TaskGraph } from './task-graph.ts';

const task = (id: string, after: readonly string[] = [], rest: Partial<TaskOutline> = {}): TaskOutline => ({
  id,
  kind: 'tool',
  after,
  ...rest,
});
const ids = (tasks: readonly TaskOutline[]): string[] => tasks.map(({ id }) => id);
const isTool = ({ kind }: TaskOutline): boolean => kind === 'tool';
/** All its tools are inline. */
const inlineGraph = (tasks: readonly TaskOutline[]): TaskGraph => createTaskGraph({ tasks }, {}, { isInline: isTool });

describe('takeReady', () => {
  test('hands out the task with the longest remaining path first, then by the order of the plan', () => {
    const tasks = [task('lonely'), task('head'), task('other'), task('mid', ['head']), task('end', ['mid'])];
    expect(ids(createTaskGraph({ tasks }).takeReady())).toEqual(['head', 'lonely', 'other']);
  });

  test('hands a task out once', () => {
    const graph = createTaskGraph({ tasks: [task('a')] });
    expect(ids(graph.takeReady())).toEqual(['a']);
    expect(graph.takeReady()).toEqual([]);
  });

  test('stops at its limit and goes on where it stopped', () => {
    const graph = createTaskGraph({ tasks: [task('a'), task('b'), task('c')] });
    expect(ids(graph.takeReady(2))).toEqual(['a', 'b']);
    expect(ids(graph.takeReady(2))).toEqual(['c']);
  });
});

describe('takeSegment', () => {
  test('takes ready inline tasks and what can follow them inside the segment', () => {
    const tasks = [
      task('a'),
      task('slow', [], { kind: 'wait' }),
      task('b', ['a']),
      task('c', ['a', 'b']),
      task('d', ['c', 'slow']),
    ];
    const graph = inlineGraph(tasks);
    expect(ids(graph.takeSegment())).toEqual(['a', 'b', 'c']);
    expect(ids(graph.takeReady())).toEqual(['slow']);
  });

  test('is empty from when the graph leaves segments, and inline tasks are ready like any other', () => {
    const graph = inlineGraph([task('a'), task('b', ['a']), task('x'), task('y', ['x'])]);
    expect(ids(graph.takeSegment(1))).toEqual(['a']);
    graph.leaveSegments();
    graph.release(['a']);
    expect(graph.takeSegment()).toEqual([]);
    expect(ids(graph.takeReady())).toEqual(['a', 'x']);
    graph.settle('x', 'completed');
    expect(graph.takeSegment()).toEqual([]);
    expect(ids(graph.takeReady())).toEqual(['y']);
  });

  test('is empty when no ready task is inline', () => {
    const graph = inlineGraph([task('a', [], { kind: 'wait' }), task('b', ['a'])]);
    expect(graph.takeSegment()).toEqual([]);
  });

  test('holds at most its limit; what is left waits for the next segment', () => {
    const chain = Array.from({ length: 5 }, (_, i) => task(`t${i}`, i === 0 ? [] : [`t${i - 1}`]));
    const graph = inlineGraph([...chain, task('x'), task('y')]);
    expect(ids(graph.takeSegment(2))).toEqual(['t0', 'x']);
    expect(graph.takeReady()).toEqual([]);
    expect(graph.done).toBe(false);
    expect(ids(graph.takeSegment(2))).toEqual(['y']);
  });

  test('takes a released task again', () => {
    const graph = inlineGraph([task('a'), task('b', ['a'])]);
    graph.takeSegment();
    graph.settle('a', 'completed');
    graph.release(['b']);
    expect(ids(graph.takeSegment())).toEqual(['b']);
  });
});

describe('skipping', () => {
  test('passes on to a task all of whose dependencies were skipped, and further', () => {
    const tasks = [task('a'), task('b', ['a']), task('c', ['b']), task('d', ['b', 'free']), task('free')];
    const graph = createTaskGraph({ tasks });
    graph.takeReady();
    expect(graph.settle('a', 'skipped')).toEqual(['b', 'c']);
    graph.settle('free', 'completed');
    expect(ids(graph.takeReady())).toEqual(['d']);
  });

  test('spares a task that is already under way in a segment', () => {
    const graph = inlineGraph([task('a'), task('b', ['a'])]);
    graph.takeSegment();
    expect(graph.settle('a', 'skipped')).toEqual([]);
    expect(graph.settle('b', 'skipped')).toEqual([]);
    expect(graph.done).toBe(true);
  });

  test('reaches a task that comes back from a segment', () => {
    const graph = inlineGraph([task('a'), task('b', ['a']), task('c', ['b'])]);
    graph.takeSegment();
    graph.settle('a', 'skipped');
    expect(graph.release(['b', 'c'])).toEqual(['b', 'c']);
    expect(graph.done).toBe(true);
  });
});

describe('failing', () => {
  test('halts the graph: what runs may end, nothing else starts', () => {
    const graph = createTaskGraph({ tasks: [task('a'), task('b'), task('c', ['b'])] });
    graph.takeReady();
    graph.settle('a', 'failed');
    expect(graph.failedTask).toBe('a');
    expect(graph.done).toBe(false);
    graph.settle('b', 'completed');
    expect(graph.takeReady()).toEqual([]);
    expect(graph.takeSegment()).toEqual([]);
    expect(graph.done).toBe(true);
    expect(graph.unstarted()).toEqual(['c']);
  });

  test('does not halt the graph when the task says continue', () => {
    const graph = createTaskGraph({ tasks: [task('a', [], { onFailure: 'continue' }), task('b', ['a'])] });
    graph.takeReady();
    graph.settle('a', 'failed');
    expect(graph.failedTask).toBeNull();
    expect(ids(graph.takeReady())).toEqual(['b']);
  });

  test('keeps the first failure as the goal’s', () => {
    const graph = createTaskGraph({ tasks: [task('a'), task('b')] });
    graph.takeReady();
    graph.settle('b', 'failed');
    graph.settle('a', 'failed');
    expect(graph.failedTask).toBe('b');
  });

  test('a cancelled task halts the graph without failing it', () => {
    const graph = createTaskGraph({ tasks: [task('a'), task('b', ['a'])] });
    graph.takeReady();
    graph.settle('a', 'cancelled');
    expect(graph).toMatchObject({ halted: true, failedTask: null, done: true });
  });
});

describe('a graph with tasks settled already', () => {
  test('goes on where the statuses leave off', () => {
    const tasks = [task('a'), task('b', ['a']), task('c', ['b']), task('constructor')];
    const first = createTaskGraph({ tasks });
    first.takeReady();
    first.settle('a', 'completed');
    const second = createTaskGraph({ tasks }, first.settledStatuses());
    expect(ids(second.takeReady())).toEqual(['b', 'constructor']);
  });

  test('is halted when a failure is among them', () => {
    const graph = createTaskGraph({ tasks: [task('a'), task('b')] }, { a: 'failed' });
    expect(graph).toMatchObject({ failedTask: 'a', done: true });
  });

  test('runs a part of a plan whose other dependencies are settled', () => {
    const graph = createTaskGraph({ tasks: [task('b', ['a'])] }, { a: 'completed' });
    expect(ids(graph.takeReady())).toEqual(['b']);
  });

  test('refuses a dependency that is neither in the plan nor settled', () => {
    expect(() => createTaskGraph({ tasks: [task('b', ['a'])] })).toThrow(/"b" depends on "a"/);
  });
});

test('a second settlement of a task changes nothing', () => {
  const graph = createTaskGraph({ tasks: [task('a'), task('b', ['a'])] });
  graph.takeReady();
  graph.settle('a', 'completed');
  expect(graph.settle('a', 'failed')).toEqual([]);
  expect(graph.failedTask).toBeNull();
  expect(graph.progress()).toEqual({ total: 2, completed: 1, running: 0, failed: 0, skipped: 0, waiting: 1 });
});

test('an unknown task is refused', () => {
  expect(() => createTaskGraph({ tasks: [] }).settle('x', 'completed')).toThrow(/no task "x"/);
});

interface Trace {
  readonly starts: Map<string, number>;
  readonly statuses: Map<string, SettledStatus>;
}

/** Drives a graph with random choices and checks its invariants at every step. */
function drive(
  tasks: readonly TaskOutline[],
  next: (max: number) => number,
  statuses: readonly SettledStatus[],
): Trace & { graph: TaskGraph } {
  const byId = new Map(tasks.map((item) => [item.id, item]));
  const trace: Trace = { starts: new Map(), statuses: new Map() };
  const running: string[] = [];
  let graph = inlineGraph(tasks);

  const settle = (id: string, status: SettledStatus): void => {
    running.splice(running.indexOf(id), 1);
    trace.statuses.set(id, status);
    for (const skipped of graph.settle(id, status)) {
      expect(trace.starts.has(skipped)).toBe(false);
      trace.statuses.set(skipped, 'skipped');
    }
  };
  const begin = (item: TaskOutline): void => {
    expect(item.after.every((id) => trace.statuses.has(id))).toBe(true);
    trace.starts.set(item.id, (trace.starts.get(item.id) ?? 0) + 1);
  };
  /** A segment runs its tasks in the order given, gives up after some of them, and hands the rest back. */
  const runSegment = (segment: readonly TaskOutline[]): void => {
    const finished = next(segment.length);
    for (const item of segment.slice(0, finished + 1)) {
      const skips = item.after.length > 0 && item.after.every((id) => trace.statuses.get(id) === 'skipped');
      if (!skips) begin(item);
      running.push(item.id);
      settle(item.id, skips ? 'skipped' : statuses[next(statuses.length)]!);
      if (graph.halted) break;
    }
    const left = ids(segment).filter((id) => !trace.statuses.has(id));
    for (const id of graph.release(left)) trace.statuses.set(id, 'skipped');
  };

  for (let step = 0; !graph.done; step += 1) {
    expect(step).toBeLessThan(20 * (tasks.length + 1));
    const choice = next(4);
    const progressed = ((): boolean => {
      if (choice === 0) {
        const segment = graph.takeSegment(1 + next(5));
        if (segment.length > 0) runSegment(segment);
        return segment.length > 0;
      }
      if (choice === 1 && running.length > 0) {
        settle(running[next(running.length)]!, statuses[next(statuses.length)]!);
        return true;
      }
      if (choice === 2 && running.length === 0) {
        graph = createTaskGraph({ tasks }, graph.settledStatuses(), { isInline: isTool });
        return false;
      }
      const taken = graph.takeReady(1 + next(3));
      for (const item of taken) {
        begin(item);
        running.push(item.id);
      }
      return taken.length > 0;
    })();
    if (!progressed && running.length > 0) settle(running[next(running.length)]!, statuses[next(statuses.length)]!);
  }
  expect([...trace.statuses.keys()].every((id) => byId.has(id))).toBe(true);
  expect(running).toEqual([]);
  return { ...trace, graph };
}

const choices = fc.infiniteStream(fc.nat());
const chooser =
  (stream: Iterator<number>): ((max: number) => number) =>
  (max) =>
    (stream.next().value as number) % Math.max(max, 1);

describe('any plan under any order of completion', () => {
  test('runs each task exactly once, never before its dependencies, and ends', () => {
    fc.assert(
      fc.property(randomTasks(), choices, (tasks, stream) => {
        const { starts, statuses, graph } = drive(tasks, chooser(stream), ['completed']);
        for (const { id } of tasks) expect(starts.get(id)).toBe(1);
        expect(statuses.size).toBe(tasks.length);
        expect(graph.progress()).toMatchObject({ completed: tasks.length, waiting: 0 });
      }),
      { numRuns: 1_000 },
    );
  });

  test('skips exactly the tasks all of whose dependencies were skipped, and runs the others once', () => {
    fc.assert(
      fc.property(randomTasks(), choices, (tasks, stream) => {
        const { starts, statuses } = drive(tasks, chooser(stream), ['completed', 'skipped', 'skipped']);
        for (const { id, after } of tasks) {
          const skips = after.length > 0 && after.every((dependency) => statuses.get(dependency) === 'skipped');
          expect(starts.get(id) ?? 0).toBe(skips ? 0 : 1);
        }
        expect(statuses.size).toBe(tasks.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('halts at the first failure that the plan does not allow, and accounts for every task', () => {
    fc.assert(
      fc.property(randomTasks(), choices, (tasks, stream) => {
        const { starts, statuses, graph } = drive(tasks, chooser(stream), [
          'completed',
          'completed',
          'failed',
          'skipped',
        ]);
        for (const count of starts.values()) expect(count).toBe(1);
        const fatal = tasks.filter(({ id, onFailure }) => statuses.get(id) === 'failed' && onFailure !== 'continue');
        expect(graph.halted).toBe(fatal.length > 0);
        if (fatal.length > 0) expect(ids(fatal)).toContain(graph.failedTask);
        expect(statuses.size + graph.unstarted().length).toBe(tasks.length);
        if (!graph.halted) expect(graph.unstarted()).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('answers the same to the same calls', () => {
    fc.assert(
      fc.property(randomTasks(), fc.array(fc.nat(), { minLength: 400, maxLength: 400 }), (tasks, numbers) => {
        const replay = (): string[] => {
          let at = 0;
          const { starts } = drive(tasks, (max) => numbers[at++ % numbers.length]! % Math.max(max, 1), [
            'completed',
            'skipped',
          ]);
          return [...starts.keys()];
        };
        expect(replay()).toEqual(replay());
      }),
      { numRuns: 500 },
    );
  });
});
