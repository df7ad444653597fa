import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { ExecuteTaskAnswer, OpenedTask, TaskRef } from '../../../../activities/contract.ts';
import { childGoalId } from '../../../../domain/ids.ts';
import {
  messages,
  type GoalViewQueryResult,
  type GoalWorkflowInput,
  type PauseGoalArgs,
} from '../../../../workflows/contract.ts';
import { until } from '../../until.ts';
import { untilHeld, type FakeWorld } from '../fake-world.ts';
import { outline, pure, task } from '../outlines.ts';
import { calledOnce, fails, type Scenario } from './scenario.ts';

const completed = { status: 'completed' } as const;
const soon = async (): Promise<ExecuteTaskAnswer> => {
  await sleep(400);
  return completed;
};
/** The first attempt at each runs until it is held. */
const heldOnce = (_: string, { attempt }: { readonly attempt: number }) =>
  attempt === 1 ? untilHeld(attempt) : completed;
const away = ({ attempt }: { readonly attempt: number }): ExecuteTaskAnswer => ({
  status: 'retrying',
  error: { code: 'ASTRA_TOOL_FAILED', message: 'connection refused', retryable: true },
  afterSeconds: 0,
  attempted: attempt,
});

const asked: PauseGoalArgs = { by: 'request', running: 'finish', shiftDeadlines: false, reason: null };
const pause = (handle: WorkflowHandle, args: Partial<PauseGoalArgs> = {}): Promise<void> =>
  handle.signal(messages.pauseGoal, { ...asked, ...args });
const resume = (handle: WorkflowHandle): Promise<void> => handle.signal(messages.resumeGoal, { by: 'request' });

const count = ({ calls }: FakeWorld, call: string): number =>
  calls.filter((each) => each === call || each.startsWith(`${call} after`)).length;
const called = (world: FakeWorld, call: string, times: number): Promise<void> =>
  until(() => count(world, call) >= times, `the workflow asks for ${call} ${times} times`);
const untilCompleted = (handle: WorkflowHandle, tasks: number): Promise<void> =>
  until(
    async () => (await handle.query<GoalViewQueryResult>(messages.goalView)).progress.completed >= tasks,
    `${tasks} tasks are completed`,
  );
const statusOf = async (handle: WorkflowHandle): Promise<string> =>
  (await handle.query<GoalViewQueryResult>(messages.goalView)).status;
const pausing = (pauseOn: NonNullable<GoalWorkflowInput['submission']>['pauseOn']): Partial<GoalWorkflowInput> => ({
  submission: { objective: 'x', plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] }, pauseOn },
});

const subGoal = ({ goal, taskId }: TaskRef): OpenedTask => ({
  childGoal: {
    goalId: childGoalId(goal.goalId, taskId, {
      digest: (text) => new TextEncoder().encode(text.slice(-16).padEnd(16)),
    }),
    submission: { objective: 'child', plan: { tasks: [{ id: 'x', kind: 'wait', seconds: 0 }] } },
  },
});

/** Its history is too long to be kept. */
export const widePauseScenario: Scenario = {
  name: 'a pause with hold stops the items of a shard, and its resume begins them again',
  behaviour: {
    outline: outline(task('each', [], { kind: 'map', maxConcurrency: 20 })),
    opened: { each: { map: { items: 501 } } },
    execute: (id, about) => (id === 'each.3' ? heldOnce(id, about) : completed),
  },
  drive: async (handle, world) => {
    await calledOnce(world, 'executeTask each.3');
    await pause(handle, { running: 'hold' });
    await calledOnce(world, 'parkTask each.3');
    await resume(handle);
  },
  ending: /^completed$/,
  check: (world, expect) => {
    expect(world.calls.indexOf('record goal.paused')).toBeLessThan(world.calls.indexOf('parkTask each.3'));
    expect(count(world, 'record goal.paused')).toBe(1);
    expect(count(world, 'executeTask each.3')).toBe(2);
    expect(count(world, 'executeTask each.500')).toBe(1);
  },
};

export const pauseScenarios: readonly Scenario[] = [
  {
    name: 'a paused goal starts nothing until it is resumed; what runs finishes, and what is asked twice is no news',
    behaviour: { outline: outline(task('a'), task('b', ['a']), pure('c', ['a'])), execute: soon },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await pause(handle);
      await pause(handle);
      await untilCompleted(handle, 1);
      const status = await statusOf(handle);
      if (status !== 'paused') throw new Error(`The goal is ${status}.`);
      const { calls } = world;
      if (calls.includes('executeTask b') || calls.includes('runSegment c')) throw new Error('Something was started.');
      await resume(handle);
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ events, calls }, expect) => {
      expect(events.map(({ type }) => type)).toEqual(['goal.paused', 'goal.resumed']);
      expect(calls).toContain('executeTask b');
      expect(calls).toContain('runSegment c');
    },
  },
  {
    name: 'a pause with hold stops what runs, and it begins again at the resume',
    behaviour: { outline: outline(task('a'), task('b')), execute: heldOnce },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask b');
      await pause(handle, { running: 'hold' });
      await calledOnce(world, 'parkTask a');
      await calledOnce(world, 'parkTask b');
      await resume(handle);
    },
    ending: /^completed$/,
    check: (world, expect) => {
      const { calls } = world;
      expect(calls.indexOf('record goal.paused')).toBeLessThan(calls.indexOf('parkTask a'));
      expect(calls.indexOf('record task.unparked a')).toBeLessThan(calls.indexOf('executeTask a after 1'));
      expect([count(world, 'executeTask a'), count(world, 'executeTask b')]).toEqual([2, 2]);
    },
  },
  {
    name: 'calls that share an activity are held together and go on each by itself',
    behaviour: {
      outline: outline(task('a', [], { tool: 'test.quick' }), task('b', [], { tool: 'test.quick' })),
      execute: heldOnce,
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTasks a b');
      await pause(handle, { running: 'hold' });
      await calledOnce(world, 'parkTask b');
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(expect.arrayContaining(['executeTask a after 1', 'executeTask b after 1'])),
  },
  {
    name: 'a tool that must not run twice is not stopped by a pause',
    behaviour: { outline: outline(task('a', [], { tool: 'test.once' }), task('b', ['a'])), execute: soon },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await pause(handle, { running: 'hold' });
      await untilCompleted(handle, 1);
      await resume(handle);
    },
    ending: /^completed$/,
    check: (world, expect) => {
      expect(world.calls).not.toContain('parkTask a');
      expect(count(world, 'executeTask a')).toBe(1);
    },
  },
  {
    name: 'what is held is given up when the goal is cancelled',
    behaviour: { outline: outline(task('a')), execute: heldOnce },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await pause(handle, { running: 'hold' });
      await calledOnce(world, 'parkTask a');
      await handle.signal(messages.cancelGoal, { reason: 'enough' });
    },
    ending: /^cancelled$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a cancelled'),
  },
  {
    name: 'a goal whose last task ends while it is paused completes',
    behaviour: { outline: outline(task('a')), execute: soon },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await pause(handle);
    },
    ending: /^completed$/,
    check: ({ events }, expect) => expect(events.map(({ type }) => type)).toEqual(['goal.paused']),
  },
  {
    name: 'a sub-goal is paused and resumed with the goal above it',
    behaviour: {
      outline: ({ parentGoalId }) =>
        parentGoalId === null
          ? outline(task('child', [], { kind: 'goal' }))
          : outline(task('x', [], {}), task('y', ['x'])),
      opened: { child: subGoal },
      execute: soon,
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask x');
      await pause(handle, { reason: 'wait' });
      await called(world, 'record goal.paused', 2);
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ events, calls }, expect) => {
      expect(events.flatMap((event) => (event.type === 'goal.paused' ? [event.data] : []))).toEqual([
        { ...asked, reason: 'wait' },
        { ...asked, by: 'parent', reason: 'wait' },
      ]);
      expect(events.flatMap((event) => (event.type === 'goal.resumed' ? [event.data.by] : []))).toEqual([
        'request',
        'parent',
      ]);
      expect(calls).toContain('executeTask y');
    },
  },
  {
    name: 'a goal that was paused by itself and with its parent goes on when both have resumed it',
    behaviour: {
      outline: outline(task('a'), task('b', ['a'])),
      execute: (id, about) => (id === 'a' ? heldOnce(id, about) : completed),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await pause(handle, { by: 'parent', running: 'hold', reason: 'above' });
      await pause(handle, { reason: 'here' });
      await calledOnce(world, 'parkTask a');
      await handle.signal(messages.resumeGoal, { by: 'parent' });
      await called(world, 'record goal.paused', 3);
      const status = await statusOf(handle);
      if (status !== 'paused') throw new Error(`The goal is ${status}.`);
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ events }, expect) =>
      expect(
        events.flatMap(({ type, data }) => (type === 'goal.paused' || type === 'goal.resumed' ? [data] : [])),
      ).toEqual([
        { ...asked, by: 'parent', running: 'hold', reason: 'above' },
        { ...asked, running: 'hold', reason: 'here' },
        { ...asked, reason: 'here' },
        { by: 'request' },
      ]),
  },
  {
    name: 'a map begins no item while its goal is paused',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 2 })),
      opened: { each: { map: { items: 5 } } },
      execute: soon,
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask each.1');
      await pause(handle);
      await calledOnce(world, 'record goal.paused');
      await sleep(800);
      if (world.calls.includes('executeTask each.2')) throw new Error('An item was begun.');
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('executeTask each.4'),
  },
  {
    name: 'a pause that shifts deadlines puts off a wait by as long as it takes',
    behaviour: { outline: outline(task('nap', [], { kind: 'wait' })), opened: { nap: { wait: { seconds: 0.8 } } } },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask nap');
      await pause(handle, { shiftDeadlines: true });
      await sleep(1_200);
      if (world.calls.includes('closeTask nap output')) throw new Error('The wait has ended.');
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.indexOf('record goal.resumed')).toBeLessThan(calls.indexOf('closeTask nap output')),
  },
  {
    name: 'an event is taken while deadlines are put off',
    behaviour: {
      outline: outline(task('hook', [], { kind: 'wait' })),
      opened: { hook: { wait: { event: 'paid', timeoutSeconds: 0.5 } } },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      await pause(handle, { shiftDeadlines: true });
      await sleep(700);
      await handle.signal(messages.deliverEvent, { name: 'paid', data: {} });
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask hook output'),
  },
  {
    name: 'a goal that fails too often pauses by its policy, and counts anew when it is resumed',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 1, minSuccess: 0 })),
      opened: { each: { map: { items: 6 } } },
      execute: () => fails,
    },
    input: pausing({ failureRate: { over: 0.5, atLeast: 4 } }),
    drive: async (handle, world) => {
      await calledOnce(world, 'record goal.paused');
      if (world.calls.includes('executeTask each.4')) throw new Error('An item was begun.');
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ events }, expect) =>
      expect(events.flatMap((event) => (event.type === 'goal.paused' ? [event.data] : []))).toEqual([
        { ...asked, by: 'policy', reason: '4 of 4 tasks and items failed.' },
      ]),
  },
  {
    name: 'an outage pauses the goal by its policy before the tasks fail',
    behaviour: {
      outline: outline(task('a', [], { retry: { maxAttempts: 9 } })),
      execute: (_, about) => (about.attempt <= 5 ? away(about) : completed),
    },
    input: pausing({ outage: true }),
    drive: async (handle, world) => {
      await calledOnce(world, 'parkTask a');
      await resume(handle);
    },
    ending: /^completed$/,
    check: (world, expect) => {
      const reason = 'The last 5 attempts at test.effect failed, the last one with ASTRA_TOOL_FAILED.';
      expect(world.events).toContainEqual(
        expect.objectContaining({ type: 'goal.paused', data: { ...asked, by: 'policy', reason } }),
      );
      expect(count(world, 'executeTask a')).toBe(6);
    },
  },
  {
    name: 'a continued goal is as paused as the run before it, and its held tasks go on from there',
    behaviour: {
      outline: outline(),
      execute: (_, { attempt }) => (attempt === 3 ? completed : fails),
    },
    input: {
      submission: null,
      carried: {
        outline: outline(task('a')),
        settled: {},
        mailbox: {},
        edits: {},
        pause: {
          standing: { ...asked, running: 'hold', sinceMs: 0 },
          asks: { own: { ...asked, running: 'hold' } },
        },
        parked: { a: { attempted: 2, held: 1, unparked: 'paused' } },
      },
    },
    drive: async (handle, world) => {
      await until(async () => (await statusOf(handle)) === 'paused', 'the goal is paused');
      if (world.calls.includes('executeTask a')) throw new Error('The task was begun.');
      await resume(handle);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 2)).toEqual(['record goal.resumed', 'executeTask a after 2']),
  },
];
