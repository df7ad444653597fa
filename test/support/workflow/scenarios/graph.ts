import { messages } from '../../../../workflows/contract.ts';
import { lost, untilCancelled } from '../fake-world.ts';
import { effectInDoubt } from '../../../../domain/errors.ts';
import { outline, pure, task } from '../outlines.ts';
import { calledOnce, fails, type Scenario } from './scenario.ts';

const quick = { tool: 'test.quick' };

export const graphScenarios: readonly Scenario[] = [
  {
    name: 'a diamond of tools runs each task once, after its dependencies',
    behaviour: { outline: outline(task('a'), task('b', ['a']), task('c', ['a']), task('d', ['b', 'c'])) },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect([...calls].sort()).toEqual(
        ['completeGoal', 'executeTask a', 'executeTask b', 'executeTask c', 'executeTask d', 'beginGoal'].sort(),
      );
      expect(calls.indexOf('executeTask d')).toBeGreaterThan(calls.indexOf('executeTask b'));
      expect(calls.indexOf('executeTask d')).toBeGreaterThan(calls.indexOf('executeTask c'));
    },
  },
  {
    name: 'pure tasks run in one segment; what it defers becomes an activity, what it does not reach another segment',
    behaviour: {
      outline: outline(
        pure('a'),
        pure('b', ['a']),
        pure('slow', ['a']),
        pure('late', ['a']),
        task('end', ['b', 'slow', 'late']),
      ),
      deferred: ['slow'],
      late: ['late'],
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('beginGoal a b slow late');
      expect(calls).toContain('runSegment late');
      expect(calls).toContain('executeTask slow');
      expect(calls.filter((call) => call === 'executeTask end')).toHaveLength(1);
    },
  },
  {
    name: 'quick tools share an activity, and what it is to try again has one of its own',
    behaviour: {
      outline: outline(...['a', 'b', 'c'].map((id) => task(id, [], quick)), task('end', ['a', 'b', 'c'])),
      retriedTogether: ['b'],
      execute: (id, { attempt }) => (id === 'b' && attempt !== 2 ? fails : { status: 'completed' }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal', 'executeTasks a b c', 'executeTask b', 'executeTask end', 'completeGoal']),
  },
  {
    name: 'cancelling a shared activity cancels each task in it',
    behaviour: { outline: outline(task('a', [], quick), task('b', [], quick)), execute: untilCancelled },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTasks a b');
      await handle.signal(messages.cancelGoal, { reason: 'enough' });
    },
    ending: /^cancelled$/,
    check: ({ events }, expect) =>
      expect(events.map(({ type }) => type)).toEqual(['goal.cancelling', 'goal.cancelled']),
  },
  {
    name: 'a goal of quick tasks alone is begun and ended by one activity',
    behaviour: { outline: outline(pure('a'), pure('b', ['a'])) },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toEqual(['beginGoal a b']),
  },
  {
    name: 'the last task completes its goal, and nobody asks for it again',
    behaviour: {
      outline: outline(task('a'), task('b'), task('c', ['a', 'b'])),
      execute: (_, { last }) => ({ status: 'completed', ...(last && { goalCompleted: true }) }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect([...calls].sort()).toEqual(['beginGoal', ...['a', 'b', 'c'].map((id) => `executeTask ${id}`)]),
  },
  {
    name: 'a failed task fails the goal, and nothing new starts',
    behaviour: { outline: outline(task('a'), task('b', ['a'])), execute: () => fails },
    ending: /ASTRA_TOOL_FAILED: it broke/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('executeTask b');
      expect(events.at(-1)).toMatchObject({ type: 'goal.failed', data: { error: { code: 'ASTRA_TASK_FAILED' } } });
    },
  },
  {
    name: 'a failed task that may fail does not stop what follows it',
    behaviour: {
      outline: outline(task('a', [], { onFailure: 'continue' }), task('b', ['a'])),
      execute: (id) => (id === 'a' ? fails : { status: 'completed' }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('executeTask b'),
  },
  {
    name: 'a skipped task skips what depends on it alone, and that is recorded',
    behaviour: {
      outline: outline(task('a'), task('b'), task('onlyA', ['a']), task('both', ['a', 'b'])),
      execute: (id) => ({ status: id === 'a' ? 'skipped' : 'completed' }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('record task.skipped onlyA');
      expect(calls).not.toContain('executeTask onlyA');
      expect(calls).toContain('executeTask both');
    },
  },
  {
    name: 'a tool that must not run twice is not run again when its worker is lost',
    behaviour: {
      outline: outline(task('pay', [], { tool: 'test.once', onFailure: 'continue' })),
      // Whoever gets the next attempt sees that one was lost.
      execute: (_, { attempt }) => (attempt === 1 ? lost() : { status: 'failed', error: effectInDoubt('test.once') }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call === 'executeTask pay')).toHaveLength(2);
      expect(calls).not.toContain('closeTask pay failed');
    },
  },
];
