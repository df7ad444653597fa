import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { remainingPathLengths } from './critical-path.ts';
import { forecast, itemEndMs, longestChain, shapeOf, type StandingTask } from './forecast.ts';
import { untouchedTask, type TaskState } from './goal-record.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { WaitingKind } from './schemas/waiting.ts';
import type { KnownSeconds } from './task-type.ts';
import { randomTasks } from '../test/support/random-tasks.ts';

const nowMs = Date.UTC(2026, 0, 1);
const inSeconds = (seconds: number): string => new Date(nowMs + seconds * 1_000).toISOString();
const known = new Map([
  ['text.render', 1],
  ['shell.run', 10],
  ['map:shell.run', 40],
  ['goal:nightly', 100],
]);

const standing = (outline: Partial<TaskOutline>, state: Partial<TaskState> = {}): StandingTask => ({
  outline: { id: 'a', kind: 'tool', tool: 'shell.run', after: [], ...outline },
  state: { ...untouchedTask, ...state },
});
const waitingFor = (kind: WaitingKind, until: string | null = null): Partial<TaskState> => ({
  waitingFor: { kind, detail: 'x', until },
});
const over = (startedAt: number, finishedAt: number): Partial<TaskState> => ({
  status: 'completed',
  startedAt: inSeconds(startedAt),
  finishedAt: inSeconds(finishedAt),
});
/** Seconds from now. */
function secondsTo(...tasks: readonly StandingTask[]): Record<string, number | null> & { goal: number | null } {
  const { endsMs, endMs } = forecast(tasks, { known, nowMs }, { shape: shapeOf(tasks) });
  const from = (ms: number | null): number | null => (ms === null ? null : (ms - nowMs) / 1_000);
  const ends = tasks.flatMap(({ outline }, index) => {
    const ms = endsMs[index];
    return ms === undefined ? [] : [[outline.id, from(ms)] as const];
  });
  return { ...Object.fromEntries(ends), goal: from(endMs) };
}

describe('a task is expected to end', () => {
  test.each<[string, StandingTask, number | null]>([
    ['as long after now as its tool takes', standing({}, { status: 'queued', ...waitingFor('worker') }), 10],
    ['as a sub-goal of its template does', standing({ kind: 'goal', template: 'nightly' }), 100],
    ['as a timer does that has not begun', standing({ kind: 'wait', seconds: 7 }), 7],
    [
      'once it has gone on after a pause',
      standing({}, { status: 'retrying', ...waitingFor('retry', inSeconds(5)) }),
      15,
    ],
    ['once its turn has come', standing({}, { status: 'queued', ...waitingFor('rate_limit', inSeconds(3)) }), 13],
    ['counted from its start', standing({}, { status: 'running', startedAt: inSeconds(-4) }), 6],
    ['at any moment when it takes longer', standing({}, { status: 'running', startedAt: inSeconds(-40) }), 0],
    ['when its timer says', standing({ kind: 'wait' }, { status: 'running', ...waitingFor('timer', inSeconds(8)) }), 8],
    ['nobody knows when: an event', standing({ kind: 'wait' }, { status: 'running', ...waitingFor('event') }), null],
    ['nobody knows when: people', standing({}, { status: 'awaiting_approval', ...waitingFor('approval') }), null],
    ['nobody knows when: a tool that never ran', standing({ tool: 'http.fetch' }), null],
    ['nobody knows when: a sub-goal of its own', standing({ kind: 'goal' }), null],
    ['nobody knows when: a pause', standing({}, { status: 'parked', ...waitingFor('paused') }), null],
  ])('%s', (_, task, seconds) => {
    expect(secondsTo(task)).toEqual({ a: seconds, goal: seconds });
  });

  test('and a map at the pace that it has so far', () => {
    const each = (completed: number, failed = 0): StandingTask => {
      const map = { total: 10, completed, failed };
      return standing({ kind: 'map' }, { status: 'running', startedAt: inSeconds(-20), map });
    };
    expect(secondsTo(each(0)).goal).toBe(20);
    expect(secondsTo(each(3, 1)).goal).toBe(30);
    expect(itemEndMs({ ...each(0), state: untouchedTask }, { known, nowMs })).toBe(nowMs + 10_000);
    expect(itemEndMs(standing({}, over(-2, -1)), { known, nowMs })).toBeUndefined();
  });

  test('after those that it depends on', () => {
    const first = standing({ id: 'first' }, { status: 'running', startedAt: inSeconds(-9) });
    const done = standing({ id: 'done' }, over(-9, -8));
    const after = standing({ id: 'after', tool: 'text.render', after: ['first', 'done'] });
    expect(secondsTo(after, done, first)).toEqual({ first: 1, after: 2, goal: 2 });
    const asked = standing({ id: 'first' }, { status: 'awaiting_approval', ...waitingFor('approval') });
    expect(secondsTo(after, done, asked)).toEqual({ first: null, after: null, goal: null });
  });
});

test('a goal that has failed ends with those of its tasks that run', () => {
  const runs = standing({ id: 'runs' }, { status: 'running', startedAt: inSeconds(0) });
  const never = standing({ id: 'never' }, waitingFor('goal_ending'));
  expect(secondsTo(runs, never)).toEqual({ runs: 10, never: null, goal: 10 });
  expect(secondsTo(standing({}, over(-2, -1)))).toEqual({ goal: 0 });
});

const chainOf = (tasks: readonly StandingTask[], seconds: KnownSeconds): string[] =>
  longestChain(tasks, seconds, { shape: shapeOf(tasks) });

test('the longest chain goes by what tasks took and will take, and by their number where nothing is known', () => {
  const tasks = [
    standing({ id: 'quick', tool: 'text.render' }),
    standing({ id: 'quicker', tool: 'text.render', after: ['quick'] }),
    standing({ id: 'slow' }),
    standing({ id: 'last', tool: 'text.render', after: ['quicker', 'slow'] }),
  ];
  expect(chainOf(tasks, known)).toEqual(['slow', 'last']);
  expect(chainOf(tasks, new Map())).toEqual(['quick', 'quicker', 'last']);
  const took = tasks.with(0, standing({ id: 'quick', tool: 'text.render' }, over(-30, -5)));
  expect(chainOf(took, known)).toEqual(['quick', 'quicker', 'last']);
});

test('of any plan of which all is known the end is its longest chain away, and each end after those before it', () => {
  const plans = randomTasks().chain((tasks) =>
    fc.tuple(
      fc.constant(tasks),
      fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: tasks.length, maxLength: tasks.length }),
    ),
  );
  fc.assert(
    fc.property(plans, ([tasks, seconds]) => {
      const plan = tasks.map(({ id, after }, index) => standing({ id, after, kind: 'wait', seconds: seconds[index]! }));
      const outlines = plan.map(({ outline }) => outline);
      const { endsMs, endMs } = forecast(plan, { known: new Map(), nowMs }, { shape: shapeOf(plan) });
      const longest = Math.max(0, ...remainingPathLengths(outlines, seconds));
      const endOf = new Map(outlines.map(({ id }, index) => [id, endsMs[index]!]));
      expect(endMs).toBe(nowMs + longest * 1_000);
      for (const { id, after, seconds: own = 0 } of outlines) {
        for (const before of after) expect(endOf.get(id)).toBeGreaterThanOrEqual(endOf.get(before)! + own * 1_000);
      }
    }),
  );
});
