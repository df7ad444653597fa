import type {
  AskPlannerResult,
  OpenChangeArgs,
  OpenChangeResult,
  TaskOutcome,
} from '../../../../activities/contract.ts';
import type { PlanOutline, TaskOutline } from '../../../../domain/plan-outline.ts';
import { messages, type GoalWorkflowInput, type ProposedChange } from '../../../../workflows/contract.ts';
import { untilCancelled } from '../fake-world.ts';
import { outline, task } from '../outlines.ts';
import { approve, calledOnce, fails, refused, reject, voteOn, type Scenario } from './scenario.ts';

const replanning = (maxReplans: number): Partial<GoalWorkflowInput> => ({
  submission: {
    objective: 'x',
    plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] },
    onTaskFailure: 'replan',
    planner: 'test',
    maxReplans,
  },
});
const revised = (revision: number, ...tasks: readonly TaskOutline[]): PlanOutline => ({
  ...outline(...tasks),
  revision,
});
const mended = revised(2, task('b', [], { run: 2 }));

const endOf = (id: string): TaskOutcome => (id === 'a' ? fails : { status: 'completed' });
/** A planner that thinks until it is told to stop. */
async function thinking(): Promise<AskPlannerResult> {
  await untilCancelled();
  throw new Error('cancelled');
}

const change: ProposedChange = { changeId: 'c1', by: 'ada', terms: {} };
const question = 'apr_change';
const opens =
  (expiresSeconds: number | null = null) =>
  (_: OpenChangeArgs): OpenChangeResult => ({
    approval: { approvalId: question, required: 1, status: 'pending', approvedBy: [], expiresSeconds },
  });
/** A goal that waits for an event, and people who are asked about a change of its plan. */
const asked = { outline: outline(task('hook', [], { kind: 'wait' })), opensChange: opens() } as const;
const hook = { hook: { wait: { event: 'go', timeoutSeconds: null } } } as const;
const typesOf = (events: readonly { readonly type: string }[]): string[] => events.map(({ type }) => type);

export const replanScenarios: readonly Scenario[] = [
  {
    name: 'a failed task has its plan mended, and the goal goes on',
    behaviour: {
      outline: outline(task('a'), task('end', ['a'])),
      amended: mended,
      planner: [{ kind: 'proposed' }],
      execute: endOf,
    },
    input: replanning(3),
    ending: /^completed$/,
    check: ({ calls }, expect) =>
      expect(calls.slice(1)).toEqual([
        'executeTask a',
        'askPlanner a 1',
        'amendPlan a',
        'executeTask b',
        'completeGoal',
      ]),
  },
  {
    name: 'a planner whose changes are refused is asked as often as the goal lets it',
    behaviour: {
      outline: outline(task('a')),
      planner: [{ kind: 'refused', error: fails.error }, { kind: 'proposed' }],
      execute: () => fails,
    },
    input: replanning(2),
    ending: /Task "a" failed with ASTRA_TOOL_FAILED: it broke \(2 replans were tried; of the last: it broke\)/,
    check: ({ calls, events }, expect) => {
      expect(calls).toContain('askPlanner a 2');
      expect(calls).not.toContain('askPlanner a 3');
      expect(typesOf(events)).toEqual(['plan.rejected', 'plan.rejected', 'goal.failed']);
    },
  },
  {
    name: 'a planner that sees nothing to be done is not asked again',
    behaviour: { outline: outline(task('a')), execute: () => fails },
    input: replanning(3),
    ending: /1 replan was tried/,
    check: ({ calls }, expect) => expect(calls.filter((call) => call.startsWith('askPlanner'))).toHaveLength(1),
  },
  {
    name: 'while a planner thinks what runs goes on, and a cancel reaches it',
    behaviour: {
      outline: outline(task('a'), task('slow')),
      planner: [thinking],
      execute: endOf,
    },
    input: replanning(3),
    drive: async (handle, world) => {
      await calledOnce(world, 'askPlanner a 1');
      await handle.signal(messages.cancelGoal, { reason: null });
    },
    ending: /^cancelled$/,
    check: ({ calls, events }, expect) => {
      expect(calls).toContain('executeTask slow');
      expect(typesOf(events)).toEqual(['goal.cancelling', 'goal.cancelled']);
    },
  },
  {
    name: 'a change that somebody makes while the planner thinks is gone by, and the planner stops',
    behaviour: { outline: outline(task('a')), amended: mended, planner: [thinking], execute: endOf },
    input: replanning(3),
    drive: async (handle, world) => {
      await calledOnce(world, 'askPlanner a 1');
      await handle.executeUpdate(messages.amendPlan, {
        args: [{ change: { baseRevision: 1, remove: ['a'] }, by: 'ada', changeId: 'c2' }],
      });
    },
    ending: /^completed$/,
    check: ({ calls, events }, expect) => {
      expect(calls.slice(-3)).toEqual(['amendPlan 1', 'executeTask b', 'completeGoal']);
      expect(typesOf(events)).toEqual([]);
    },
  },
  {
    name: 'a change that is approved is made while the goal runs',
    behaviour: { ...asked, opened: hook, amended: mended },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      await handle.executeUpdate(messages.proposeChange, { args: [change] });
      await voteOn(handle, question, approve('bob'));
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('openChange c1');
      expect(calls).toContain('amendPlan approved');
      expect(calls).toContain('executeTask b');
    },
  },
  {
    name: 'a change that is rejected, one that nobody decides and one that does not fit any more change nothing',
    behaviour: {
      ...asked,
      opened: hook,
      opensChange: ({ changeId }) => ({
        approval: {
          approvalId: `apr_${changeId}`,
          required: 1,
          status: 'pending',
          approvedBy: [],
          expiresSeconds: changeId === 'late' ? 0.2 : null,
        },
      }),
    },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      for (const changeId of ['late', 'bad', 'stale'])
        await handle.executeUpdate(messages.proposeChange, { args: [{ ...change, changeId }] });
      await voteOn(handle, 'apr_bad', reject('bob'));
      await voteOn(handle, 'apr_stale', approve('bob'));
      await calledOnce(world, 'record approval.expired');
      await handle.signal(messages.deliverEvent, { name: 'go', data: {} });
    },
    ending: /^completed$/,
    check: ({ events }, expect) => {
      const rejected = events.flatMap((event) => (event.type === 'plan.rejected' ? [event.data.error?.code] : []));
      expect(rejected.toSorted()).toEqual(['ASTRA_APPROVAL_EXPIRED', 'ASTRA_APPROVAL_REJECTED', 'ASTRA_PLAN_CONFLICT']);
    },
  },
  {
    name: 'a question about a change keeps no goal from its end',
    behaviour: { ...asked, opened: hook },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      await handle.executeUpdate(messages.proposeChange, { args: [change] });
      await handle.signal(messages.deliverEvent, { name: 'go', data: {} });
    },
    ending: /^completed$/,
    check: ({ calls, events }, expect) => {
      expect(calls).not.toContain('amendPlan approved');
      expect(typesOf(events)).not.toContain('plan.rejected');
    },
  },
  {
    name: 'a change that is refused before people are asked is told at once',
    behaviour: { outline: asked.outline, opened: hook },
    drive: async (handle, world) => {
      await calledOnce(world, 'openTask hook');
      await refused(handle.executeUpdate(messages.proposeChange, { args: [change] }), 'ASTRA_PLAN_CONFLICT');
      await handle.signal(messages.deliverEvent, { name: 'go', data: {} });
    },
    ending: /^completed$/,
    check: ({ calls }, expect) => expect(calls).toContain('openChange c1'),
  },
  {
    name: 'a continued goal asks on about changes, and has as many replans left as before',
    behaviour: { ...asked, opened: hook, amended: revised(3, task('b', [], { run: 3 })), execute: () => fails },
    input: {
      submission: null,
      carried: {
        outline: revised(2, task('hook', [], { kind: 'wait' })),
        settled: {},
        mailbox: {},
        edits: {},
        replans: { planner: 'test', limit: 3, used: 2 },
        proposed: [change],
      },
    },
    drive: (handle) => voteOn(handle, question, approve('bob')),
    ending: /Task "b" failed .*\(3 replans were tried/,
    check: ({ calls }, expect) => {
      expect(calls).toContain('amendPlan approved');
      expect(calls.filter((call) => call.startsWith('askPlanner'))).toEqual(['askPlanner b 3']);
    },
  },
];
