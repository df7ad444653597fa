import { childGoalId } from '../../../../domain/ids.ts';
import type { OpenedTask, TaskRef } from '../../../../activities/contract.ts';
import type { GoalId } from '../../../../domain/schemas/common.ts';
import { outline, task } from '../outlines.ts';
import { calledOnce, fails, goalIdOf, type Scenario } from './scenario.ts';

const wideMaps = ['one', 'two', 'three', 'four', 'five'];

const subGoalId = (goalId: GoalId, taskId: string): GoalId =>
  childGoalId(goalId, taskId, { digest: (text) => new TextEncoder().encode(text.slice(-16).padEnd(16)) });

/** The sub-goal of this task, as an activity would open it. */
const subGoal = ({ goal, taskId }: TaskRef): OpenedTask => ({
  childGoal: {
    goalId: subGoalId(goal.goalId, taskId),
    submission: { objective: 'child', plan: { tasks: [{ id: 'x', kind: 'wait', seconds: 0 }] } },
  },
});

export const mapScenarios: readonly Scenario[] = [
  {
    name: 'a map of effects goes through a window of its size',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 3 })),
      opened: { each: { map: { items: 10 } } },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call.startsWith('executeTask each.'))).toHaveLength(10);
      expect(calls).toContain('closeTask each map');
    },
  },
  {
    name: 'items of a map over a quick tool share activities, at least two of them at once',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', tool: 'test.quick', maxConcurrency: 6, minSuccess: 0.8 })),
      opened: { each: { map: { items: 10 } } },
      execute: (id) => (id === 'each.4' ? fails : { status: 'completed' }),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('executeTasks each.0 each.1 each.2');
      expect(calls).toContain('executeTasks each.3 each.4 each.5');
      expect(calls).toContain('executeTask each.9');
      expect(calls).toContain('closeTask each map');
    },
  },
  {
    name: 'a map stops when too many items have failed',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 1, minSuccess: 0.8 })),
      opened: { each: { map: { items: 10 } } },
      execute: () => fails,
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.filter((call) => call.startsWith('executeTask each.'))).toHaveLength(3),
  },
  {
    name: 'a map of pure items runs in segments, its slow items as activities',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', tool: 'test.pure' })),
      opened: { each: { map: { items: 100 } } },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call.startsWith('runMapSegment'))).toEqual([
        'runMapSegment 0',
        'runMapSegment 40',
        'runMapSegment 80',
      ]);
      expect(calls).toContain('executeTask each.7');
    },
  },
  {
    name: 'a wide map runs in shards',
    behaviour: {
      outline: outline(task('each', [], { kind: 'map', maxConcurrency: 50 })),
      opened: { each: { map: { items: 600 } } },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      const items = calls.filter((call) => call.startsWith('executeTask each.'));
      expect(new Set(items).size).toBe(600);
      expect(items).toHaveLength(600);
    },
  },
  {
    name: 'a sub-goal is a goal of its own',
    behaviour: {
      outline: ({ depth }) => (depth === 0 ? outline(task('child', [], { kind: 'goal' })) : outline(task('leaf'))),
      opened: { child: subGoal },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call === 'beginGoal')).toHaveLength(2);
      expect(calls).toContain('executeTask leaf');
      expect(calls).toContain('closeTask child childGoal');
    },
  },
  {
    name: 'a sub-goal that fails is closed with what its record says',
    behaviour: {
      outline: ({ depth }) => (depth === 0 ? outline(task('child', [], { kind: 'goal' })) : outline(task('leaf'))),
      opened: { child: subGoal },
      execute: () => fails,
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask child childGoal'),
  },
  {
    name: 'a sub-goal that somebody else cancels is closed with what its record says',
    behaviour: {
      outline: ({ depth }) =>
        depth === 0 ? outline(task('child', [], { kind: 'goal' })) : outline(task('hook', [], { kind: 'wait' })),
      opened: {
        child: subGoal,
        hook: { wait: { event: 'never', timeoutSeconds: null } },
      },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      await handle.client.getHandle(`goal/${subGoalId(goalIdOf(handle), 'child')}`).cancel();
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask child childGoal'),
  },
];

/** Its history is too long to be kept. */
export const wideMapScenarios: readonly Scenario[] = [
  {
    name: 'maps of one goal share what the server allows it',
    behaviour: {
      outline: outline(...wideMaps.map((id) => task(id, [], { kind: 'map', maxConcurrency: 1_000 }))),
      opened: Object.fromEntries(wideMaps.map((id) => [id, { map: { items: 500 } }])),
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(new Set(calls.filter((call) => call.startsWith('executeTask '))).size).toBe(2_500);
    },
  },
];
