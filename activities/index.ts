import { createGoalBudgets } from './budgets/goal-budgets.ts';
import { createAskForBudget, createRaiseBudget } from './budgets/question.ts';
import type { Activities } from './contract.ts';
import { createAskPolicy } from './execution/ask-policy.ts';
import { createBeginGoal } from './execution/begin-goal.ts';
import { createCloseTask } from './execution/close-task.ts';
import { createCompensateTask } from './execution/compensate-task.ts';
import { createCompleteGoal } from './execution/complete-goal.ts';
import type { ExecutionDeps } from './execution/deps.ts';
import { createAttempts } from './execution/attempts.ts';
import { createExecuteTask } from './execution/execute-task.ts';
import { createExecuteTasks } from './execution/execute-tasks.ts';
import { createHoldGoal } from './execution/hold-goal.ts';
import { createOpenTask } from './execution/open-task.ts';
import { createParkLost } from './execution/park-lost.ts';
import { createParkTask } from './execution/park-task.ts';
import { createPlanCompensation } from './execution/plan-compensation.ts';
import { recordCompensation } from './execution/record-compensation.ts';
import { createRunMapSegment } from './execution/run-map-segment.ts';
import { createRunSegment } from './execution/run-segment.ts';
import { createTaskScopes } from './execution/task-scope.ts';
import { createToolPace } from './execution/tool-pace.ts';
import { createToolRunner } from './execution/tool-runner.ts';
import { createValues } from './execution/values.ts';
import { createAmendPlan } from './planner/amend-plan.ts';
import { createAskPlanner } from './planner/ask-planner.ts';
import { createOpenChange } from './planner/open-change.ts';
import { createForkGoal } from './planner/fork-goal.ts';
import { createRetryGoal } from './planner/retry-goal.ts';
import { createBeginWithSlots } from './limits/begin-with-slots.ts';
import { createTakeSlots } from './limits/take-slots.ts';
import { createThenSlots } from './limits/then-slots.ts';
import { recordSubmission } from './planner/record-planning.ts';
import { createErase } from './retention/erase.ts';
import type { RetentionDeps } from './retention/deps.ts';
import { createSweep } from './retention/sweep.ts';
import { createPlanGoalWithModel } from './planner/plan-with-model.ts';

/** All activities, over what the process has. Which of them a worker serves depends on the queue it polls. */
export function createActivities(deps: ExecutionDeps & { readonly retention: RetentionDeps }): Activities {
  const { recorder, slots } = deps;
  const values = createValues(deps.artifacts);
  const scopes = createTaskScopes(recorder, values);
  const pace = createToolPace();
  const budgets = createGoalBudgets(recorder, deps.budgetedScopes);
  const execution = { ...deps, values, scopes, pace, budgets, askPolicy: createAskPolicy(deps) };
  const runner = createToolRunner(execution);
  const attempts = createAttempts({ ...execution, runner });
  const takeSlots = createTakeSlots(deps);
  const thenSlots = createThenSlots({ slots, takeSlots });
  return {
    recordSubmission: thenSlots(async (args) => {
      await recordSubmission(recorder, args);
      return {};
    }),
    holdGoal: createHoldGoal(deps),
    beginGoal: createBeginWithSlots({ ...deps, begin: createBeginGoal(execution) }),
    amendPlan: createAmendPlan(execution),
    openChange: createOpenChange(execution),
    askPlanner: createAskPlanner(execution),
    forkGoal: thenSlots(createForkGoal(execution)),
    retryGoal: thenSlots(createRetryGoal(execution)),
    takeSlots,
    giveBackSlots: ({ goal }) => slots.giveBack(goal),
    planGoalWithModel: createPlanGoalWithModel(execution),
    recordEvents: async ({ goal, events }) => {
      await recorder.record(goal, events);
    },
    runSegment: createRunSegment(execution),
    runMapSegment: createRunMapSegment(execution),
    openTask: createOpenTask(execution),
    closeTask: createCloseTask(execution),
    parkLost: createParkLost(execution),
    askForBudget: createAskForBudget(deps),
    raiseBudget: createRaiseBudget(deps),
    parkTask: createParkTask(recorder),
    completeGoal: createCompleteGoal(execution),
    planCompensation: createPlanCompensation(execution),
    failCompensation: ({ task, error }) => recordCompensation(recorder, task, { error }),
    compensateTask: createCompensateTask({ ...execution, runner }),
    executeTask: createExecuteTask(attempts),
    executeTasks: createExecuteTasks(attempts),
    sweep: createSweep(deps.retention),
    erase: createErase(deps.retention),
  };
}
