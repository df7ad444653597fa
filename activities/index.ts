import { createGoalBudgets } from './budgets/goal-budgets.ts';
import { createAskForBudget, createRaiseBudget } from './budgets/question.ts';
import type { Activities } from './contract.ts';
import { createBeginGoal } from './execution/begin-goal.ts';
import { createCloseTask } from './execution/close-task.ts';
import { createCompleteGoal } from './execution/complete-goal.ts';
import type { ExecutionDeps } from './execution/deps.ts';
import { createExecuteTask } from './execution/execute-task.ts';
import { createOpenTask } from './execution/open-task.ts';
import { createRunMapSegment } from './execution/run-map-segment.ts';
import { createRunSegment } from './execution/run-segment.ts';
import { createTaskScopes } from './execution/task-scope.ts';
import { createToolRunner } from './execution/tool-runner.ts';
import { createValues } from './execution/values.ts';
import { recordSubmission } from './planner/record-planning.ts';
import { createPlanGoalWithModel } from './planner/plan-with-model.ts';

/** All activities, over what the process has. Which of them a worker serves depends on the queue it polls. */
export function createActivities(deps: ExecutionDeps): Activities {
  const { recorder } = deps;
  const values = createValues(deps.artifacts);
  const scopes = createTaskScopes(recorder, values);
  const budgets = createGoalBudgets(recorder, deps.budgetedScopes);
  const execution = { ...deps, values, scopes, budgets };
  return {
    recordSubmission: (args) => recordSubmission(recorder, args),
    beginGoal: createBeginGoal(execution),
    planGoalWithModel: createPlanGoalWithModel(deps),
    recordEvents: async ({ goal, events }) => {
      await recorder.record(goal, events);
    },
    runSegment: createRunSegment(execution),
    runMapSegment: createRunMapSegment(execution),
    openTask: createOpenTask(execution),
    closeTask: createCloseTask(execution),
    askForBudget: createAskForBudget(deps),
    raiseBudget: createRaiseBudget(deps),
    completeGoal: createCompleteGoal(execution),
    executeTask: createExecuteTask({ ...execution, runner: createToolRunner(deps) }),
  };
}
