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
import { createBeginWithSlots } from './limits/begin-with-slots.ts';
import { createTakeSlots } from './limits/take-slots.ts';
import { recordSubmission } from './planner/record-planning.ts';
import { createPlanGoalWithModel } from './planner/plan-with-model.ts';

/** All activities, over what the process has. Which of them a worker serves depends on the queue it polls. */
export function createActivities(deps: ExecutionDeps): Activities {
  const { recorder, slots } = deps;
  const values = createValues(deps.artifacts);
  const scopes = createTaskScopes(recorder, values);
  const execution = { ...deps, values, scopes };
  const takeSlots = createTakeSlots(deps);
  return {
    async recordSubmission(args) {
      await recordSubmission(recorder, args);
      if (!slots.mayApply({ ...args, ...args.goal })) return {};
      const taken = await takeSlots({ goal: args.goal });
      if (taken === null) return {};
      return typeof taken === 'object' && 'error' in taken ? taken : { slots: taken };
    },
    beginGoal: createBeginWithSlots({ ...deps, begin: createBeginGoal(execution) }),
    takeSlots,
    giveBackSlots: ({ goal }) => slots.giveBack(goal),
    planGoalWithModel: createPlanGoalWithModel(deps),
    recordEvents: async ({ goal, events }) => {
      await recorder.record(goal, events);
    },
    runSegment: createRunSegment(execution),
    runMapSegment: createRunMapSegment(execution),
    openTask: createOpenTask(execution),
    closeTask: createCloseTask(execution),
    completeGoal: createCompleteGoal(execution),
    executeTask: createExecuteTask({ ...execution, runner: createToolRunner(deps) }),
  };
}
