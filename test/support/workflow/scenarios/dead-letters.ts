import { ApplicationFailure } from '@temporalio/common';
import type { ParkedTask } from '../../../../activities/contract.ts';
import { messages, type UnparkTasksArgs } from '../../../../workflows/contract.ts';
import { untilCancelled } from '../fake-world.ts';
import { outline, task } from '../outlines.ts';
import { calledOnce, fails, type Scenario } from './scenario.ts';

const park = { onFailure: 'park' } as const;
const completed = { status: 'completed' } as const;
const parkedAfter = (attempted: number): ParkedTask => ({
  status: 'parked',
  reason: 'failed',
  attempted,
  by: 'outside',
});
/** Fails for good at these attempts, of the tasks that are named so. */
const failsAt =
  (...attempts: readonly number[]) =>
  (taskId: string, { attempt }: { readonly attempt: number }) =>
    /^(?:a|each\.[13])$/.test(taskId) && attempts.includes(attempt) ? parkedAfter(attempt) : completed;
const retry = (attempts: NonNullable<UnparkTasksArgs['attempts']>): UnparkTasksArgs => ({ reason: 'failed', attempts });
const discard = (attempts: NonNullable<UnparkTasksArgs['attempts']>): UnparkTasksArgs => ({
  ...retry(attempts),
  discard: true,
});

const shard = outline(task('each', [], { kind: 'map', maxConcurrency: 250, ...park }));
/** Its history is too long to be kept. */
export const deadShardScenario: Scenario = {
  name: 'failed items of a shard wait, and hear what was said of them before their goal knew of them',
  behaviour: { outline: shard, opened: { each: { map: { items: 501 } } }, execute: failsAt(1) },
  drive: (handle) => handle.signal(messages.unparkTasks, retry({ 'each.1': 1, 'each.3': 1 })),
  ending: /^completed$/,
  check: ({ calls }, expect) =>
    expect(calls).toEqual(expect.arrayContaining(['executeTask each.1 after 1', 'executeTask each.3 after 1'])),
};

export const deadLetterScenarios: readonly Scenario[] = [
  {
    name: 'a failed task waits until it is retried, once for each failure, while the others go on',
    behaviour: { outline: outline(task('a', [], park), task('b'), task('c', ['a'])), execute: failsAt(1, 2) },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask b');
      // What is said of another attempt, and twice, and what is lifted of something else, changes nothing.
      await handle.signal(messages.unparkTasks, { reason: 'budget' });
      await handle.signal(messages.unparkTasks, retry({ a: 1 }));
      await handle.signal(messages.unparkTasks, retry({ a: 1 }));
      await calledOnce(world, 'executeTask a after 1');
      await handle.signal(messages.unparkTasks, discard({ a: 1 }));
      await handle.signal(messages.unparkTasks, retry({ a: 2 }));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call.startsWith('executeTask a'))).toEqual([
        'executeTask a',
        'executeTask a after 1',
        'executeTask a after 2',
      ]);
      expect(calls.indexOf('executeTask c')).toBeGreaterThan(calls.indexOf('executeTask a after 2'));
    },
  },
  {
    name: 'a failed task that is discarded fails its goal',
    behaviour: { outline: outline(task('a', [], park)), execute: failsAt(1) },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await handle.signal(messages.unparkTasks, discard({ a: 1 }));
    },
    ending: /Task "a" failed/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a discarded'),
  },
  {
    name: 'a call that its workflow alone knows to be lost is parked',
    behaviour: {
      outline: outline(
        task('a', [], { tool: 'test.once', ...park }),
        task('b', [], { tool: 'test.quick', ...park }),
        task('c', [], { tool: 'test.quick', ...park }),
      ),
      execute: async (taskId, { attempt }) => {
        if (taskId === 'a' && attempt === 1) throw ApplicationFailure.nonRetryable('it is gone');
        return completed;
      },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'parkLost a ASTRA_EFFECT_IN_DOUBT');
      await handle.signal(messages.unparkTasks, retry({ a: 1 }));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('executeTask a after 1'),
  },
  {
    name: 'quick calls that have failed together wait each by itself',
    behaviour: {
      outline: outline(task('a', [], { tool: 'test.quick', ...park }), task('b', [], { tool: 'test.quick', ...park })),
      execute: failsAt(1),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTasks a b');
      await handle.signal(messages.unparkTasks, retry({ a: 1 }));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.filter((call) => call.startsWith('executeTask'))).toEqual([
        'executeTasks a b',
        'executeTask a after 1',
      ]),
  },
  {
    name: 'failed items wait for nobody once their map has failed',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 4, ...park })),
      opened: { each: { map: { items: 4 } } },
      execute: failsAt(1),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask each.3');
      await handle.signal(messages.unparkTasks, discard({ 'each.1': 1 }));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(
        expect.arrayContaining(['closeTask each.1 discarded', 'closeTask each.3 cancelled', 'closeTask each map']),
      ),
  },
  {
    name: 'a goal that fails gives up what has failed before',
    behaviour: {
      outline: outline(task('a', [], park), task('b')),
      execute: async (taskId) => {
        if (taskId === 'a') return parkedAfter(1);
        await new Promise((resolve) => setTimeout(resolve, 500));
        return fails;
      },
    },
    ending: /Task "b" failed/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a cancelled'),
  },
  {
    name: 'a goal that is cancelled gives up what has failed before',
    behaviour: {
      outline: outline(task('a', [], park), task('b')),
      execute: (taskId) => (taskId === 'a' ? parkedAfter(1) : untilCancelled()),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask b');
      await handle.signal(messages.cancelGoal, { reason: null });
    },
    ending: /^cancelled$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a cancelled'),
  },
  {
    name: 'a continued goal executes what has failed only when it is retried, or was',
    behaviour: { outline: outline(task('a', [], park), task('b', [], park)) },
    input: {
      submission: null,
      carried: {
        outline: outline(task('a', [], park), task('b', [], park)),
        settled: {},
        mailbox: {},
        edits: {},
        parked: {
          a: { attempted: 2, unparked: 'failed', forgiven: 2, word: 'none' },
          b: { attempted: 3, unparked: 'failed', forgiven: 3, word: 'retry' },
        },
      },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask b after 3');
      await handle.signal(messages.unparkTasks, retry({ a: 2 }));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.filter((call) => call.startsWith('executeTask'))).toEqual([
        'executeTask b after 3',
        'executeTask a after 2',
      ]),
  },
];
