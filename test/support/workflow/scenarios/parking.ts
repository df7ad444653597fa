import type { ParkedTask } from '../../../../activities/contract.ts';
import type { GoalRef } from '../../../../domain/goal-ref.ts';
import { budgetApprovalId } from '../../../../domain/ids.ts';
import { messages } from '../../../../workflows/contract.ts';
import { untilCancelled } from '../fake-world.ts';
import { outline, pure, task } from '../outlines.ts';
import { approve, calledOnce, fails, goalIdOf, reject, voteOn, type Scenario } from './scenario.ts';

const parked = (by: ParkedTask['by']): ParkedTask => ({ status: 'parked', reason: 'budget', attempted: 0, by });
const completed = { status: 'completed' } as const;
const asked = ({ goalId }: GoalRef) => ({
  approvalId: budgetApprovalId(goalId, 1),
  required: 1,
  status: 'pending' as const,
  approvedBy: [],
  expiresSeconds: null,
});
/** Parks at the first execution of these tasks. */
const parksOnce =
  (by: ParkedTask['by'], ...ids: readonly string[]) =>
  (taskId: string, { unparked }: { readonly unparked: boolean }) =>
    ids.includes(taskId) && !unparked ? parked(by) : completed;
const lift = { reason: 'budget' } as const;

/** Its history is too long to be kept. */
export const shardParkingScenario: Scenario = {
  name: 'items of a shard are parked, and its goal asks for them',
  behaviour: {
    outline: outline(task('each', [], { kind: 'map', maxConcurrency: 250 })),
    opened: { each: { map: { items: 501 } } },
    execute: parksOnce('people', 'each.3', 'each.4'),
    asked,
  },
  drive: (handle) => voteOn(handle, budgetApprovalId(goalIdOf(handle), 1), approve('ada')),
  ending: /^completed$/,
  check: ({ calls }, expect) => {
    expect(calls.filter((call) => call === 'askForBudget')).toHaveLength(1);
    expect(calls).toEqual(expect.arrayContaining(['executeTask each.3 after 0', 'executeTask each.4 after 0']));
  },
};

export const parkingScenarios: readonly Scenario[] = [
  {
    name: 'a parked task is executed again once what it waits for is lifted',
    behaviour: { outline: outline(task('a'), task('b', ['a'])), execute: parksOnce('outside', 'a') },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await handle.signal(messages.unparkTasks, lift);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal', 'executeTask a', 'executeTask a after 0', 'executeTask b', 'completeGoal']),
  },
  {
    name: 'a task that is parked for room goes on when another ends',
    behaviour: {
      outline: outline(task('a'), task('b')),
      execute: async (taskId, { unparked }) => {
        if (taskId === 'b') await new Promise((resolve) => setTimeout(resolve, 500));
        return taskId === 'a' && !unparked ? parked('room') : completed;
      },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('executeTask a after 0'),
  },
  {
    name: 'a used up budget is asked about once, and raising it has the parked tasks executed again',
    behaviour: { outline: outline(task('a'), task('b')), execute: parksOnce('people', 'a', 'b'), asked },
    drive: async (handle, world) => {
      await Promise.all(['a', 'b'].map((id) => calledOnce(world, `executeTask ${id}`)));
      await voteOn(handle, budgetApprovalId(goalIdOf(handle), 1), approve('ada'));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call === 'askForBudget')).toHaveLength(1);
      expect(calls).toContain('raiseBudget null');
      expect(calls).toEqual(expect.arrayContaining(['executeTask a after 0', 'executeTask b after 0']));
    },
  },
  {
    name: 'a budget that nobody raises fails the parked tasks',
    behaviour: { outline: outline(task('a')), execute: parksOnce('people', 'a'), asked },
    drive: (handle) => voteOn(handle, budgetApprovalId(goalIdOf(handle), 1), reject('ada')),
    ending: /ASTRA_BUDGET_EXHAUSTED/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a failed'),
  },
  {
    name: 'a question for budget is withdrawn when the tasks go on without an answer',
    behaviour: { outline: outline(task('a')), execute: parksOnce('people', 'a'), asked },
    drive: async (handle, world) => {
      await calledOnce(world, 'askForBudget');
      await handle.signal(messages.unparkTasks, lift);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('record approval.expired'),
  },
  {
    name: 'a goal that fails gives its parked tasks up',
    behaviour: {
      outline: outline(task('a'), task('b')),
      execute: async (taskId) => {
        if (taskId === 'a') return parked('outside');
        await new Promise((resolve) => setTimeout(resolve, 500));
        return fails;
      },
    },
    ending: /Task "b" failed/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a cancelled'),
  },
  {
    name: 'a goal that is cancelled gives its parked tasks up',
    behaviour: {
      outline: outline(task('a'), task('b')),
      execute: (taskId) => (taskId === 'a' ? parked('people') : untilCancelled()),
      asked,
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'askForBudget');
      await handle.signal(messages.cancelGoal, { reason: null });
    },
    ending: /^cancelled$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask a cancelled'),
  },
  {
    name: 'items of a map are parked one by one',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 2 })),
      opened: { each: { map: { items: 4 } } },
      execute: parksOnce('outside', 'each.1'),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask each.3');
      await handle.signal(messages.unparkTasks, { ...lift, taskIds: ['each.1'] });
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.filter((call) => call.startsWith('executeTask each.1'))).toEqual([
        'executeTask each.1',
        'executeTask each.1 after 0',
      ]),
  },
  {
    name: 'calls that are counted one by one do not run in segments',
    behaviour: { outline: outline(pure('a'), pure('b', ['a'])), apart: true },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal a b', 'executeTask a', 'executeTask b', 'completeGoal']),
  },
  {
    name: 'a continued goal goes on with its parked tasks from where they were',
    behaviour: { outline: outline(task('a')) },
    input: {
      submission: null,
      carried: {
        outline: outline(task('a')),
        settled: {},
        mailbox: {},
        edits: {},
        parked: { a: { attempted: 2, unparked: 'budget' } },
      },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('executeTask a after 2'),
  },
];
