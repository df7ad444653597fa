import { messages } from '../../../../workflows/contract.ts';
import { outline, pure, task } from '../outlines.ts';
import { calledOnce, type Scenario } from './scenario.ts';

const untilTold = { waitSeconds: null } as const;

export const limitScenarios: readonly Scenario[] = [
  {
    name: 'a goal that must wait for its slots begins when it is told that they are free, and gives them back',
    behaviour: { outline: outline(pure('a'), task('b', ['a'])), slots: [untilTold, 'held'] },
    drive: async (handle, world) => {
      await calledOnce(world, 'beginGoal');
      await handle.signal(messages.slotsFreed);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual([
        'beginGoal',
        'takeSlots',
        'runSegment a',
        'executeTask b',
        'completeGoal',
        'giveBackSlots',
      ]),
  },
  {
    name: 'a goal whose slots are free begins at once, and gives them back when it has failed',
    behaviour: { outline: outline(pure('a')), inlineFailures: ['a'], slots: ['held'] },
    ending: /ASTRA_TOOL_FAILED/,
    check: ({ calls }, expect) => expect(calls).toEqual(['beginGoal a', 'record goal.failed', 'giveBackSlots']),
  },
  {
    name: 'a goal that waits for a rate asks again when its time has come',
    behaviour: { outline: outline(pure('a')), slots: [{ waitSeconds: 0.2 }, { waitSeconds: 0.1 }, 'held'] },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 3)).toEqual(['beginGoal', 'takeSlots', 'takeSlots']),
  },
  {
    name: 'a goal that nobody tells that slots are free asks again by itself',
    behaviour: { outline: outline(pure('a')), slots: [untilTold, 'held'] },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 2)).toEqual(['beginGoal', 'takeSlots']),
  },
  {
    name: 'a goal that is cancelled while it waits for its slots runs nothing and gives up its place',
    behaviour: { outline: outline(task('a')), slots: [untilTold] },
    drive: async (handle, world) => {
      await calledOnce(world, 'beginGoal');
      await handle.signal(messages.cancelGoal, { reason: 'too slow' });
    },
    ending: /^cancelled$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal', 'record goal.cancelling', 'record goal.cancelled', 'giveBackSlots']),
  },
  {
    name: 'a goal that a limit rejects after it was planned fails',
    behaviour: {
      outline: outline(task('a')),
      slots: [{ waitSeconds: 0 }, { error: { code: 'ASTRA_LIMIT_REACHED', message: 'too many', retryable: true } }],
    },
    ending: /too many/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal', 'takeSlots', 'record goal.failed', 'giveBackSlots']),
  },
  {
    name: 'a goal that a model plans has its slots first',
    behaviour: { outline: outline(task('a')), slots: [untilTold, 'held'] },
    input: { submission: { objective: 'find it out' } },
    drive: async (handle, world) => {
      await calledOnce(world, 'recordSubmission');
      await handle.signal(messages.slotsFreed);
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.slice(0, 3)).toEqual(['recordSubmission', 'takeSlots', 'planGoalWithModel']),
  },
];
