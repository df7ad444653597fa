import type { GoalId } from '../../../../domain/schemas/common.ts';
import type { GoalSubmission } from '../../../../domain/schemas/goal.ts';
import { messages, type GoalWorkflowInput } from '../../../../workflows/contract.ts';
import { outline, task } from '../outlines.ts';
import { calledOnce, type Scenario } from './scenario.ts';

const held = (how: Partial<GoalSubmission>): Partial<GoalWorkflowInput> => ({
  submission: { objective: 'later', plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] }, ...how },
});
const dependsOnGoalIds = ['gol_0123456789abcdefghij' as GoalId];
const types = ({ events }: { readonly events: readonly { readonly type: string }[] }): string[] =>
  events.map(({ type }) => type);

export const beginningScenarios: readonly Scenario[] = [
  {
    name: 'a goal with a date begins when it has come',
    behaviour: { outline: outline(task('a')), holds: [{ kind: 'time', seconds: 0.2 }] },
    input: held({ delaySeconds: 1 }),
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 3)).toEqual(['holdGoal time', 'holdGoal free', 'beginGoal']),
  },
  {
    name: 'a goal that waits for another looks again when it is told that one has ended',
    behaviour: { outline: outline(task('a')), holds: [{ kind: 'goals' }] },
    input: held({ dependsOnGoalIds }),
    drive: async (handle, world) => {
      await calledOnce(world, 'holdGoal goals');
      await handle.signal(messages.awaitedGoalEnded);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 3)).toEqual(['holdGoal goals', 'holdGoal free', 'beginGoal']),
  },
  {
    name: 'a goal that waits for another looks again by itself',
    behaviour: { outline: outline(task('a')), holds: [{ kind: 'goals' }, { kind: 'goals' }] },
    input: held({ dependsOnGoalIds }),
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.indexOf('beginGoal')).toBe(3),
  },
  {
    name: 'a goal fails when one that it waits for did not complete',
    behaviour: {
      outline: outline(task('a')),
      holds: [
        { kind: 'failed', error: { code: 'ASTRA_DEPENDENCY_FAILED', message: 'it is cancelled', retryable: false } },
      ],
    },
    input: held({ dependsOnGoalIds }),
    ending: /it is cancelled/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('beginGoal');
      expect(types({ events })).toEqual(['goal.failed']);
    },
  },
  {
    name: 'a goal that is cancelled while it waits for its date never begins',
    behaviour: { outline: outline(task('a')), holds: [{ kind: 'time', seconds: 3_600 }] },
    input: held({ delaySeconds: 3_600 }),
    drive: async (handle, world) => {
      await calledOnce(world, 'holdGoal time');
      await handle.signal(messages.cancelGoal, { reason: 'not needed' });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('beginGoal');
      expect(types({ events })).toEqual(['goal.cancelling', 'goal.cancelled']);
    },
  },
  {
    name: 'a goal whose cascade was cancelled before it began never does',
    behaviour: { outline: outline(task('a')), holds: [{ kind: 'cancelled', reason: 'all of it' }] },
    input: held({ cascadeId: 'night' }),
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('beginGoal');
      expect(types({ events })).toEqual(['goal.cancelling', 'goal.cancelled']);
      expect(events.at(-1)).toMatchObject({ data: { reason: 'all of it' } });
    },
  },
];
