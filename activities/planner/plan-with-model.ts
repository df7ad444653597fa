import { Context } from '@temporalio/activity';
import { AstraError, type Fault } from '../../domain/errors.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { PlanGoalArgs, PlannerActivities } from '../contract.ts';
import type { Model } from '../llm/model.ts';
import { beating } from '../execution/beating.ts';
import { markQuickTools, type ToolPace } from '../execution/tool-pace.ts';
import { whileAway } from '../execution/while-away.ts';
import type { Recorder } from '../projection/recorder.ts';
import { guardPlan } from './guard-plan.ts';
import { requirePlanner, type Planners } from './planner-registry.ts';
import { recordPlanning, type PlannedGoal } from './record-planning.ts';
import { planningPrompt, planAnswerSchema } from './planning-prompt.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly catalogue: ToolCatalogue;
  readonly model: Model | null;
  readonly pace: ToolPace;
  readonly policies: Pick<PolicyMemory, 'rulesOf'>;
  readonly planners: Planners;
}

/** After its first answer a model may mend its plan this often. */
const repairs = 2;

/** Has a model plan the goal. Its plan is untrusted input: validated like any other, and given back with its faults. */
export function createPlanGoalWithModel({
  recorder,
  catalogue,
  model,
  pace,
  policies,
  planners,
}: Deps): PlannerActivities['planGoalWithModel'] {
  async function plan({ submission }: PlanGoalArgs): Promise<PlannedGoal> {
    requirePlanner(planners, submission);
    if (!model) throw new AstraError('ASTRA_MODEL_NOT_CONFIGURED', 'Set ASTRA_MODEL for the workers, or give a plan.');
    const tools = await catalogue();
    let earlier: { readonly plan: unknown; readonly faults: readonly Fault[] } | null = null;
    for (let round = 0; ; round += 1) {
      const prompt = planningPrompt(submission, tools, earlier);
      const { cancellationSignal: signal } = Context.current();
      const answer = await orEnded(model.generate({ ...prompt, schema: planAnswerSchema, signal }), signal);
      const proposed = 'object' in answer ? answer.object : null;
      try {
        const planned = validatePlan(proposed, tools, { source: 'model' });
        return { ...planned, outline: markQuickTools(planned.outline, pace), params: {} };
      } catch (error) {
        if (!(error instanceof AstraError) || error.code !== 'ASTRA_PLAN_INVALID' || round === repairs) throw error;
        earlier = { plan: proposed, faults: error.faults };
      }
    }
  }

  return (args) => {
    let made: PlannedGoal | null = null;
    const planOnce = async (): Promise<PlannedGoal> => {
      made ??= await plan(args);
      const { agentId } = args.submission;
      return { ...made, outline: await guardPlan(policies, args.goal, { outline: made.outline, agentId }) };
    };
    const { cancellationSignal } = Context.current();
    return beating(() => whileAway(() => recordPlanning(recorder, args, planOnce), cancellationSignal));
  };
}

/** A goal that is cancelled has not failed, and what the end of a worker interrupts is planned by another one. */
async function orEnded<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
