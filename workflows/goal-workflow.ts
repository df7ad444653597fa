import {
  allHandlersFinished,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  isCancellation,
} from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import { createGoalGraph } from '../domain/goal-graph.ts';
import { kernel } from './activities.ts';
import type { GoalWorkflowInput, GoalWorkflowResult } from './contract.ts';
import { createControl } from './control.ts';
import { announceCancelling, endCancelled, endFailed, failure, votersAnswered } from './goal-ending.ts';
import { createGoalPage } from './goal-page.ts';
import { atRevision, isRepeated, recordEvents, type GoalEnd, type GoalRun } from './goal-run.ts';
import { planGoal } from './plan-goal.ts';
import { startReplans } from './replan.ts';
import { createMapRoom } from './map-room.ts';
import { runTaskGraph } from './run-task-graph.ts';

/**
 * One goal, from its submission to its end: planned, approved, run, its output gathered. Each step is recorded before
 * the next begins; where a process died in between is Temporal's to know.
 */
export async function goalWorkflow(input: GoalWorkflowInput): Promise<GoalWorkflowResult> {
  const { carried } = input;
  const goal: GoalRef = { tenant: input.tenant, goalId: input.goalId };
  const page = createGoalPage(carried ? 'running' : 'accepted');
  let run: GoalRun | null = null;
  const control = createControl({
    mailbox: carried?.mailbox ?? {},
    edits: carried?.edits ?? {},
    record: (event) => recordEvents(run?.goal ?? goal, event),
    view: page.view,
  });
  const cancelling = announceCancelling(goal, control, { page, submitted: carried !== undefined });

  // What is recorded and what Temporal shows must not differ.
  const end: GoalEnd = { completed: false };
  try {
    return await control.scope.run(async () => {
      const { onSubmitted } = cancelling;
      const { outline, settled, begun, completed, replans, proposed } = carried
        ? { ...carried, begun: null, completed: false }
        : await planGoal({ goal, control, page, onSubmitted }, input);
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
        page,
        failures: new Map(),
        replans: replans ? startReplans(replans) : null,
        proposed: new Map(proposed?.map((change) => [change.changeId, change])),
        segmentsInARow: false,
        amending: false,
        superseded: new Set(),
        mapRoom: createMapRoom(),
      };
      const ending = await runTaskGraph(run, begun);
      if (ending.kind === 'continued') return await continueGoal(input, run);
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

async function completeGoal(goal: GoalRef): Promise<void> {
  // A cancel comes too late now.
  const { error } = await CancellationScope.nonCancellable(() => kernel.completeGoal({ goal }));
  if (error) throw failure(error);
}

/** Begins a new history with what is settled. Waits and approvals under way are opened again there. */
async function continueGoal(input: GoalWorkflowInput, run: GoalRun): Promise<never> {
  const { outline, graph, control, repeated, replans, proposed } = run;
  // Unlike at the goal's end a cancel must get through here, or the new run knows nothing of it.
  await condition(allHandlersFinished);
  const edited = [...control.approvals.values()].flatMap(({ approvalId, editedInput }) =>
    editedInput ? [[approvalId, editedInput] as const] : [],
  );
  return continueAsNew<typeof goalWorkflow>({
    ...input,
    submission: null,
    repeated,
    carried: {
      outline,
      settled: graph.settledStatuses(),
      mailbox: Object.fromEntries(control.mailbox),
      edits: Object.fromEntries(edited),
      ...(replans && { replans: { planner: replans.planner, limit: replans.limit, used: replans.used } }),
      ...(proposed.size > 0 && { proposed: [...proposed.values()] }),
    },
  });
}
