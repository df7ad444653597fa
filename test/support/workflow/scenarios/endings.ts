import { approvalId } from '../../../../domain/ids.ts';
import { messages } from '../../../../workflows/contract.ts';
import { untilCancelled } from '../fake-world.ts';
import { outline, task } from '../outlines.ts';
import { calledOnce, type Scenario } from './scenario.ts';

export const endingScenarios: readonly Scenario[] = [
  {
    name: 'a goal with an objective alone is planned by a model',
    behaviour: { outline: outline(task('a')) },
    input: { submission: { objective: 'find it out' } },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls.slice(0, 2)).toEqual(['recordSubmission', 'planGoalWithModel']),
  },
  {
    name: 'a goal that is cancelled while it is planned is recorded all the same',
    behaviour: { outline: outline(task('a')), planMs: 500, execute: untilCancelled },
    drive: async (handle, world) => {
      await calledOnce(world, 'beginGoal');
      await handle.cancel();
    },
    ending: /CancelledFailure/,
    check: ({ calls, events }, expect) => {
      expect(calls[0]).toBe('beginGoal');
      expect(events.map(({ type }) => type)).toEqual(['goal.cancelling', 'goal.cancelled']);
    },
  },
  {
    name: 'a cancel comes too late for a goal whose last task has recorded its completion',
    behaviour: {
      outline: outline(task('a')),
      execute: async () => {
        await untilCancelled();
        return { status: 'completed', goalCompleted: true };
      },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await handle.signal(messages.cancelGoal, { reason: 'too late' });
    },
    ending: /^completed$/,
    check: ({ events }, expect) => expect(events.map(({ type }) => type)).not.toContain('goal.cancelled'),
  },
  {
    name: 'cancelling stops the running tool and ends the goal',
    behaviour: { outline: outline(task('a'), task('b', ['a'])), execute: untilCancelled },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask a');
      await handle.signal(messages.cancelGoal, { reason: 'enough' });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('executeTask b');
      expect(events.map(({ type }) => type)).toEqual(['goal.cancelling', 'goal.cancelled']);
      expect(events.at(-1)).toMatchObject({ data: { reason: 'enough' } });
    },
  },
  {
    name: 'an operator may cancel through Temporal; waits and maps end too',
    behaviour: {
      outline: outline(task('hook', [], { kind: 'wait' }), task('each', [], { kind: 'map', maxConcurrency: 2 })),
      opened: { hook: { wait: { event: 'never', timeoutSeconds: null } }, each: { map: { items: 5 } } },
      execute: untilCancelled,
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'executeTask each.1');
      await handle.cancel();
    },
    ending: /CancelledFailure/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('closeTask hook cancelled');
      expect(calls).toContain('closeTask each cancelled');
      expect(calls).not.toContain('executeTask each.2');
      expect(calls.at(-1)).toBe('record goal.cancelled');
    },
  },
  {
    name: 'a failure gives up what waits for people and dates',
    behaviour: {
      outline: outline(task('hook', [], { kind: 'wait' }), task('a')),
      opened: { hook: { wait: { event: 'never', timeoutSeconds: null } } },
      execute: () => ({
        status: 'failed',
        error: { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: false },
      }),
    },
    ending: /it broke/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask hook cancelled'),
  },
  {
    name: 'a continued goal goes on with what is settled and what was in its mailbox',
    behaviour: { outline: outline(), opened: { hook: { wait: { event: 'paid', timeoutSeconds: null } } } },
    input: {
      submission: null,
      carried: {
        outline: outline(task('a'), task('b', ['a']), task('hook', ['a'], { kind: 'wait' })),
        settled: { a: 'completed' },
        mailbox: { paid: [{ amount: 1 }] },
        edits: {},
      },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).not.toContain('beginGoal');
      expect(calls).not.toContain('executeTask a');
      expect(calls).toContain('executeTask b');
      expect(calls).toContain('closeTask hook output');
    },
  },
  {
    name: 'a continued goal acts on a decision that the run before it heard',
    behaviour: {
      outline: outline(),
      opened: {
        yes: ({ goal, taskId }) => ({
          approval: {
            approvalId: approvalId(goal.goalId, taskId),
            required: 1,
            status: 'approved',
            approvedBy: ['ada'],
            expiresSeconds: null,
          },
        }),
      },
    },
    input: {
      submission: null,
      carried: { outline: outline(task('yes', [], { kind: 'approval' })), settled: {}, mailbox: {}, edits: {} },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask yes approved'),
  },
];
