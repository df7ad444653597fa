import type { Activities } from './contract.ts';
import { createBeginGoal } from './execution/begin-goal.ts';
import { createCloseTask } from './execution/close-task.ts';
import { createCompleteGoal } from './execution/complete-goal.ts';
import type { ExecutionDeps } from './execution/deps.ts';
import { createAttempts } from './execution/attempts.ts';
import { createExecuteTask } from './execution/execute-task.ts';
import { createExecuteTasks } from './execution/execute-tasks.ts';
import { createOpenTask } from './execution/open-task.ts';
import { createParkTask } from './execution/park-task.ts';
import { createRunMapSegment } from './execution/run-map-segment.ts';
import { createRunSegment } from './execution/run-segment.ts';
import { createTaskScopes } from './execution/task-scope.ts';
import { createToolPace } from './execution/tool-pace.ts';
import { createToolRunner } from './execution/tool-runner.ts';
import { createValues } from './execution/values.ts';
import { recordSubmission } from './planner/record-planning.ts';
import { createPlanGoalWithModel } from './planner/plan-with-model.ts';

/** All activities, over what the process has. Which of them a worker serves depends on the queue it polls. */
export function createActivities(deps: ExecutionDeps): Activities {
  const { recorder } = deps;
  const values = createValues(deps.artifacts);
  const scopes = createTaskScopes(recorder, values);
  const pace = createToolPace();
  const execution = { ...deps, values, scopes, pace };
  const attempts = createAttempts({ ...execution, runner: createToolRunner(execution) });
  return {
    recordSubmission: (args) => recordSubmission(recorder, args),
    beginGoal: createBeginGoal(execution),
    planGoalWithModel: createPlanGoalWithModel(execution),
    recordEvents: async ({ goal, events }) => {
      await recorder.record(goal, events);
    },
    runSegment: createRunSegment(execution),
    runMapSegment: createRunMapSegment(execution),
    openTask: createOpenTask(execution),
    closeTask: createCloseTask(execution),
    parkTask: createParkTask(recorder),
    completeGoal: createCompleteGoal(execution),
    executeTask: createExecuteTask(attempts),
    executeTasks: createExecuteTasks(attempts),
  };
}
