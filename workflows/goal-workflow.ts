import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
  TemporalFailure,
} from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import { createGoalGraph } from '../domain/goal-graph.ts';
import { parseTaskId } from '../domain/ids.ts';
import { kernel } from './activities.ts';
import type { GoalWorkflowInput, GoalWorkflowResult } from './contract.ts';
import { createControl } from './control.ts';
import { announceCancelling, endCancelled, endFailed, failure, votersAnswered } from './goal-ending.ts';
import { createGoalPage } from './goal-page.ts';
import { atRevision, isRepeated, recordEvents, type GoalEnd, type GoalRun } from './goal-run.ts';
import { createGoalPausing } from './goal-pausing.ts';
import { carriedPolicy } from './goal-policy.ts';
import { createGoalSlots, type GoalSlots } from './goal-slots.ts';
import { planGoal } from './plan-goal.ts';
import { startReplans } from './replan.ts';
import { createMapRoom } from './map-room.ts';
import { createGoalParking } from './parking.ts';
import { runTaskGraph } from './run-task-graph.ts';

/**
 * One goal, from its submission to its end: planned, approved, run, its output gathered. Each step is recorded before
 * the next begins; where a process died in between is Temporal's to know.
 */
export async function goalWorkflow(input: GoalWorkflowInput): Promise<GoalWorkflowResult> {
  const goal: GoalRef = { tenant: input.tenant, goalId: input.goalId };
  const slots = createGoalSlots(goal, { held: input.carried?.slots ?? false });
  try {
    const result = await runGoal(goal, input, slots);
    await slots.giveBack();
    return result;
  } catch (error) {
    // Its next run goes on with them, and so does a task of this workflow that is tried again.
    if (error instanceof TemporalFailure) await slots.giveBack();
    throw error;
  }
}

async function runGoal(goal: GoalRef, input: GoalWorkflowInput, slots: GoalSlots): Promise<GoalWorkflowResult> {
  const { carried } = input;
  const page = createGoalPage(carried);
  let run: GoalRun | null = null;
  const control = createControl({
    carried,
    record: (event) => recordEvents(run?.goal ?? goal, event),
    view: page.view,
  });
  const parking = createGoalParking(carried?.parked);
  let submitted = carried !== undefined;
  const pausing = createGoalPausing(input, { control, page }, { isSubmitted: () => submitted });
  const cancelling = announceCancelling(goal, control, { page, isSubmitted: () => submitted });

  // What is recorded and what Temporal shows must not differ.
  const end: GoalEnd = { completed: false };
  try {
    return await control.scope.run(async () => {
      const onSubmitted = (): void => {
        submitted = true;
      };
      const { outline, settled, begun, completed, replans, proposed } = carried
        ? { ...carried, begun: null, completed: false }
        : await planGoal({ goal, control, ...pausing, page, slots, onSubmitted }, input);
      if (completed) return { status: 'completed' };
      const graph = createGoalGraph(outline, settled);
      page.showStatus('running');
      run = {
        goal: atRevision(goal, outline),
        depth: input.depth,
        repeated: isRepeated(input),
        end,
        outline,
        graph,
        control,
        ...pausing,
        page,
        failures: new Map(),
        replans: replans ? startReplans(replans) : null,
        proposed: new Map(proposed?.map((change) => [change.changeId, change])),
        mapRoom: createMapRoom(),
        parking,
        ...unbegun(),
      };
      const ending = await runTaskGraph(run, begun);
      if (ending.kind === 'continued') return await continueGoal(input, run, slots);
      if (ending.kind === 'failed') throw failure(ending.error);
      await votersAnswered();
      if (!end.completed) await completeGoal(run.goal);
      page.showStatus('completed');
      return { status: 'completed' };
    });
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (end.completed) return { status: 'completed' };
    if (!isCancellation(error)) return await endFailed(goal, page, error);
    await cancelling.announced;
    return await endCancelled(goal, page, control);
  }
}

const unbegun = () => ({ segmentsInARow: false, amending: false, superseded: new Set<string>() });

async function completeGoal(goal: GoalRef): Promise<void> {
  // A cancel comes too late now.
  const { error } = await CancellationScope.nonCancellable(() => kernel.completeGoal({ goal }));
  if (error) throw failure(error);
}

/** Begins a new history with what is settled. Waits and approvals under way are opened again there. */
async function continueGoal(input: GoalWorkflowInput, run: GoalRun, { any }: GoalSlots): Promise<never> {
  const { outline, graph, control, repeated, parking, policy, replans, proposed } = run;
  const settled = graph.settledStatuses();
  const parked = [...parking.courses].filter(([taskId]) => !settled[parseTaskId(taskId).id]);
  // Unlike at the goal's end a cancel must get through here, or the new run knows nothing of it.
  await condition(allHandlersFinished);
  const pause = await run.pause.carry();
  const edited = [...control.approvals.values()].flatMap(({ approvalId, editedInput }) =>
    editedInput ? [[approvalId, editedInput] as const] : [],
  );
  return continueAsNew<typeof goalWorkflow>({
    ...input,
    submission: null,
    repeated,
    carried: {
      outline,
      settled,
      mailbox: Object.fromEntries(control.mailbox),
      edits: Object.fromEntries(edited),
      ...(parked.length > 0 && { parked: Object.fromEntries(parked) }),
      ...(pause && { pause }),
      ...(policy && { policy: carriedPolicy(policy) }),
      ...(any && { slots: true }),
      ...(replans && { replans: { planner: replans.planner, limit: replans.limit, used: replans.used } }),
      ...(proposed.size > 0 && { proposed: [...proposed.values()] }),
    },
  });
}
