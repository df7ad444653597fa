import type { OpenedTask, TaskRef } from '../../../../activities/contract.ts';
import { approvalId } from '../../../../domain/ids.ts';
import { messages, type GoalWorkflowInput } from '../../../../workflows/contract.ts';
import { outline, task } from '../outlines.ts';
import { approve, reject, vote, type Scenario } from './scenario.ts';

const approval =
  (required: number, expiresSeconds: number | null = null) =>
  ({ goal, taskId }: TaskRef): OpenedTask => ({
    approval: {
      approvalId: approvalId(goal.goalId, taskId),
      required,
      status: 'pending',
      approvedBy: [],
      expiresSeconds,
    },
  });

const planToApprove: Partial<GoalWorkflowInput> = {
  submission: {
    objective: 'x',
    plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] },
    approval: { plan: 'required' },
  },
};

export const peopleScenarios: readonly Scenario[] = [
  {
    name: 'a wait for a time ends by itself',
    behaviour: { outline: outline(task('nap', [], { kind: 'wait' })), opened: { nap: { wait: { seconds: 0.2 } } } },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask nap output'),
  },
  {
    name: 'a wait takes the event that came before it',
    behaviour: {
      outline: outline(task('first'), task('hook', ['first'], { kind: 'wait' })),
      opened: { hook: { wait: { event: 'paid', timeoutSeconds: null } } },
    },
    drive: (handle) => handle.signal(messages.deliverEvent, { name: 'paid', data: { amount: 1 } }),
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask hook output'),
  },
  {
    name: 'a wait for an event that does not come fails in time',
    behaviour: {
      outline: outline(task('hook', [], { kind: 'wait' })),
      opened: { hook: { wait: { event: 'paid', timeoutSeconds: 0.2 } } },
    },
    ending: /ASTRA_WAIT_TIMEOUT/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask hook failed'),
  },
  {
    name: 'an approval needs as many votes as it says',
    behaviour: { outline: outline(task('ok', [], { kind: 'approval' })), opened: { ok: approval(2) } },
    drive: async (handle) => {
      await vote(handle, 'ok', approve('ada'));
      await vote(handle, 'ok', approve('bob'));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call === 'record approval.decided ok')).toHaveLength(2);
      expect(calls).toContain('closeTask ok approved');
    },
  },
  {
    name: 'one rejection rejects, and the goal fails',
    behaviour: { outline: outline(task('ok', [], { kind: 'approval' })), opened: { ok: approval(2) } },
    drive: (handle) => vote(handle, 'ok', reject('ada')),
    ending: /ASTRA_APPROVAL_REJECTED/,
    check: ({ calls }, expect) => expect(calls).toContain('closeTask ok failed'),
  },
  {
    name: 'an approval that nobody decides expires',
    behaviour: { outline: outline(task('ok', [], { kind: 'approval' })), opened: { ok: approval(1, 0.2) } },
    ending: /ASTRA_APPROVAL_EXPIRED/,
    check: ({ calls }, expect) => expect(calls).toContain('record approval.expired ok'),
  },
  {
    name: 'a plan that needs approval runs once it has it',
    behaviour: { outline: outline(task('a')) },
    input: planToApprove,
    drive: (handle) => vote(handle, null, approve('ada')),
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.indexOf('record plan.approved')).toBeLessThan(calls.indexOf('executeTask a')),
  },
  {
    name: 'a plan that is rejected never runs',
    behaviour: { outline: outline(task('a')) },
    input: planToApprove,
    drive: (handle) => vote(handle, null, reject('ada')),
    ending: /The plan was rejected/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('record plan.rejected');
      expect(calls).not.toContain('executeTask a');
    },
  },
];
