import type { WorkflowHandle } from '@temporalio/client';
import type { OpenedApproval, OpenedTask, TaskRef } from '../../../../activities/contract.ts';
import { approvalId } from '../../../../domain/ids.ts';
import { messages, type DelegateApprovalArgs } from '../../../../workflows/contract.ts';
import { outline, pure, task } from '../outlines.ts';
import { approve, calledOnce, fails, goalIdOf, refused, reject, vote, type Scenario } from './scenario.ts';

const risky = { risk: 'high' } as const;
const quick = { tool: 'test.quick' } as const;

/** Asks, with these terms, and at the next opening lets it run. */
function asking(
  terms: Partial<OpenedApproval> = {},
  then: OpenedTask = { cleared: true },
): (ref: TaskRef) => OpenedTask {
  let asked = 0;
  return ({ goal, taskId }) => {
    asked += 1;
    if (asked > 1) return then;
    const id = approvalId(goal.goalId, taskId);
    const plain = { approvalId: id, required: 1, status: 'pending', approvedBy: [], expiresSeconds: null } as const;
    return { approval: { ...plain, ...terms } };
  };
}

const delegate = (handle: WorkflowHandle, args: Pick<DelegateApprovalArgs, 'subject' | 'to'>): Promise<unknown> =>
  handle.executeUpdate(messages.delegateApproval, {
    args: [
      {
        approvalId: approvalId(goalIdOf(handle), 'send'),
        comment: null,
        at: new Date().toISOString(),
        ...args,
      } satisfies DelegateApprovalArgs,
    ],
  });

export const riskyScenarios: readonly Scenario[] = [
  {
    name: 'a risky call is asked about, and runs when it is approved',
    behaviour: { outline: outline(task('send', [], risky)), opened: { send: asking() } },
    drive: (handle) => vote(handle, 'send', approve('ada')),
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual([
        'beginGoal',
        'openTask send',
        'record approval.decided send',
        'openTask send',
        'executeTask send cleared',
        'completeGoal',
      ]),
  },
  {
    name: 'a risky call that is rejected never runs',
    behaviour: { outline: outline(task('send', [], risky)), opened: { send: asking() } },
    drive: (handle) => vote(handle, 'send', reject('ada')),
    ending: /ASTRA_APPROVAL_REJECTED: The call of test.effect by "send" was rejected/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('closeTask send failed');
      expect(calls.filter((call) => call.startsWith('executeTask'))).toEqual([]);
    },
  },
  {
    name: 'a risky call whose time is up runs when that counts as approved',
    behaviour: {
      outline: outline(task('send', [], risky)),
      opened: { send: asking({ expiresSeconds: 0.2, onExpiry: 'approve' }) },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.slice(1, 5)).toEqual([
        'openTask send',
        'record approval.expired send',
        'openTask send',
        'executeTask send cleared',
      ]),
  },
  {
    name: 'a risky call that policy allows runs without a question, a quick one as an activity',
    behaviour: {
      outline: outline({ ...pure('quick'), ...risky }),
      opened: { quick: { cleared: true } },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls).toEqual(['beginGoal', 'openTask quick', 'executeTask quick cleared', 'completeGoal']),
  },
  {
    name: 'a call that policy has come to ask about since the goal was planned is asked about',
    behaviour: {
      outline: outline(task('send')),
      opened: { send: asking() },
      execute: (_, { cleared }) => ({ status: cleared ? 'completed' : 'unapproved' }),
    },
    drive: (handle) => vote(handle, 'send', approve('ada')),
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.filter((call) => call.startsWith('executeTask'))).toEqual([
        'executeTask send',
        'executeTask send cleared',
      ]),
  },
  {
    name: 'a quick call that policy has come to ask about is asked about by itself',
    behaviour: {
      outline: outline(task('send', [], quick), task('b', [], quick)),
      opened: { send: asking() },
      execute: (id, { cleared }) => ({ status: id === 'b' || cleared ? 'completed' : 'unapproved' }),
    },
    drive: (handle) => vote(handle, 'send', approve('ada')),
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.filter((call) => call.startsWith('execute'))).toEqual([
        'executeTasks send b',
        'executeTask send cleared',
      ]),
  },
  {
    name: 'a risky quick call shares no activity',
    behaviour: {
      outline: outline(...['a', 'b'].map((id) => task(id, [], quick)), task('send', [], { ...quick, ...risky })),
      opened: { send: { cleared: true } },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('executeTasks a b');
      expect(calls).toContain('executeTask send cleared');
    },
  },
  {
    name: 'a map of risky calls is asked about once',
    behaviour: {
      outline: outline(task('each', [], { ...risky, kind: 'map' })),
      opened: { each: asking({}, { map: { items: 3 } }) },
    },
    drive: (handle) => vote(handle, 'each', approve('ada')),
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.slice(1, 4)).toEqual(['openTask each', 'record approval.decided each', 'openTask each']);
      expect(calls.filter((call) => call.startsWith('executeTask each.'))).toHaveLength(3);
    },
  },
  {
    name: 'only who is named may vote, and may pass the vote on',
    behaviour: {
      outline: outline(task('send', [], risky)),
      opened: { send: asking({ deciders: { subjects: ['ada'], scopes: ['finance'] } }) },
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask send');
      await refused(vote(handle, 'send', approve('bob')), 'ASTRA_FORBIDDEN');
      await refused(delegate(handle, { subject: 'bob', to: 'cid' }), 'ASTRA_FORBIDDEN');
      await refused(delegate(handle, { subject: 'ada', to: 'ada' }), 'ASTRA_DELEGATION_INVALID');
      await delegate(handle, { subject: 'ada', to: 'bob' });
      await delegate(handle, { subject: 'ada', to: 'bob' });
      await refused(vote(handle, 'send', approve('ada')), 'ASTRA_FORBIDDEN');
      await vote(handle, 'send', approve('bob'));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls.filter((call) => call === 'record approval.delegated send')).toHaveLength(1);
      expect(calls).toContain('executeTask send cleared');
    },
  },
  {
    name: 'all who approve approve one input',
    behaviour: { outline: outline(task('send', [], risky)), opened: { send: asking({ required: 2 }) } },
    drive: async (handle) => {
      await vote(handle, 'send', { ...approve('ada'), editedInputSha256: 'a' });
      await refused(vote(handle, 'send', approve('bob')), 'ASTRA_APPROVAL_EDITED');
      await vote(handle, 'send', { ...approve('bob'), editedInputSha256: 'a' });
    },
    ending: /^completed$/,
    check: ({ events }, expect) =>
      expect(events.map(({ data }) => data)).toMatchObject([
        { status: 'pending', editedInputSha256: 'a' },
        { status: 'approved', editedInputSha256: 'a' },
      ]),
  },
  {
    name: 'a failure gives up a risky call that waits for people',
    behaviour: {
      outline: outline(task('send', [], risky), task('a')),
      opened: { send: asking() },
      execute: () => fails,
    },
    ending: /it broke/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('closeTask send cancelled');
      expect(calls).not.toContain('executeTask send cleared');
    },
  },
  {
    name: 'a plan that nobody approves in time runs when that counts as approved',
    behaviour: { outline: outline(task('a')) },
    input: {
      submission: {
        objective: 'x',
        plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] },
        approval: { plan: 'required', expiresSeconds: 1, onExpiry: 'approve' },
      },
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('record approval.expired');
      expect(calls).toContain('executeTask a');
    },
  },
];
