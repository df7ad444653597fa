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
import { createForkGoal } from './planner/fork-goal.ts';
import { createRetryGoal } from './planner/retry-goal.ts';
import { recordSubmission } from './planner/record-planning.ts';
import { createErase } from './retention/erase.ts';
import type { RetentionDeps } from './retention/deps.ts';
import { createSweep } from './retention/sweep.ts';
import { createPlanGoalWithModel } from './planner/plan-with-model.ts';

/** All activities, over what the process has. Which of them a worker serves depends on the queue it polls. */
export function createActivities(deps: ExecutionDeps & { readonly retention: RetentionDeps }): Activities {
  const { recorder } = deps;
  const values = createValues(deps.artifacts);
  const scopes = createTaskScopes(recorder, values);
  const pace = createToolPace();
  const budgets = createGoalBudgets(recorder, deps.budgetedScopes);
  const execution = { ...deps, values, scopes, pace, budgets, askPolicy: createAskPolicy(deps) };
  const runner = createToolRunner(execution);
  const attempts = createAttempts({ ...execution, runner });
  return {
    recordSubmission: (args) => recordSubmission(recorder, args),
    holdGoal: createHoldGoal(deps),
    beginGoal: createBeginGoal(execution),
    amendPlan: createAmendPlan(execution),
    forkGoal: createForkGoal(execution),
    retryGoal: createRetryGoal(execution),
    planGoalWithModel: createPlanGoalWithModel(execution),
    recordEvents: async ({ goal, events }) => {
      await recorder.record(goal, events);
    },
    runSegment: createRunSegment(execution),
    runMapSegment: createRunMapSegment(execution),
    openTask: createOpenTask(execution),
    closeTask: createCloseTask(execution),
    parkTask: createParkTask(execution),
    askForBudget: createAskForBudget(deps),
    raiseBudget: createRaiseBudget(deps),
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
