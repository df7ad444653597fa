import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import { messages } from '../../../../workflows/contract.ts';
import { untilCancelled } from '../fake-world.ts';
import { outline, task } from '../outlines.ts';
import { calledOnce, type Scenario } from './scenario.ts';

const chain = outline(task('a'), task('b', ['a']), task('c', ['b']));
const runsUntilC = (taskId: string) => (taskId === 'c' ? untilCancelled() : ({ status: 'completed' } as const));
const compensated = (calls: readonly string[]): readonly string[] =>
  calls.filter((call) => call.startsWith('compensateTask'));

export const compensationScenarios: readonly Scenario[] = [
  {
    name: 'a cancel that asks for it takes back what has completed, the last first, before the goal ends',
    behaviour: { outline: chain, execute: runsUntilC, compensations: [['b'], ['a']] },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask c');
      await handle.signal(messages.cancelGoal, { reason: 'enough', compensate: true });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(compensated(calls)).toEqual(['compensateTask b', 'compensateTask a']);
      expect(calls.at(-1)).toBe('record goal.cancelled');
      expect(events.map(({ data }) => data)).toEqual([{ reason: 'enough', compensate: true }, { reason: 'enough' }]);
    },
  },
  {
    name: 'a compensation that is lost is recorded as failed, does not stop the others, and the end says so',
    behaviour: {
      outline: chain,
      execute: runsUntilC,
      compensations: [['b'], ['a']],
      compensate: (taskId) => {
        if (taskId === 'b') throw ApplicationFailure.nonRetryable('it broke', 'ASTRA_INTERNAL');
      },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask c');
      await handle.signal(messages.cancelGoal, { reason: null, compensate: true });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(calls).toContain('failCompensation b ASTRA_COMPENSATION_FAILED');
      expect(compensated(calls)).toEqual(['compensateTask b', 'compensateTask a']);
      expect(events.at(-1)).toMatchObject({ data: { error: { code: 'ASTRA_COMPENSATION_FAILED' } } });
    },
  },
  {
    name: 'a second cancel changes nothing but that it may still ask for compensation',
    behaviour: {
      outline: chain,
      // It takes its time to stop.
      execute: async (taskId) => {
        if (taskId !== 'c') return { status: 'completed' };
        await untilCancelled();
        await sleep(1_000);
        return { status: 'cancelled' };
      },
      compensations: [['b', 'a']],
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask c');
      await handle.signal(messages.cancelGoal, { reason: 'first' });
      await calledOnce(world, 'record goal.cancelling');
      await handle.signal(messages.cancelGoal, { reason: 'second', compensate: true });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect([...compensated(calls)].sort()).toEqual(['compensateTask a', 'compensateTask b']);
      expect(events.map(({ data }) => data)).toEqual([{ reason: 'first' }, { reason: 'first' }]);
    },
  },
];
