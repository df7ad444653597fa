import { Context, heartbeat } from '@temporalio/activity';
import { AstraError, type Fault } from '../../domain/errors.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { PlanGoalArgs, PlannerActivities } from '../contract.ts';
import type { Model } from '../llm/model.ts';
import { whileAway } from '../execution/while-away.ts';
import type { Recorder } from '../projection/recorder.ts';
import { guardPlan } from './guard-plan.ts';
import { recordPlanning, type PlannedGoal } from './record-planning.ts';
import { planningPrompt, planAnswerSchema } from './planning-prompt.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly catalogue: ToolCatalogue;
  readonly model: Model | null;
  readonly policies: Pick<PolicyMemory, 'rulesOf'>;
}

/** After its first answer a model may mend its plan this often. */
const repairs = 2;
const heartbeatMs = 1_000;

/** Has a model plan the goal. Its plan is untrusted input: validated like any other, and given back with its faults. */
export function createPlanGoalWithModel({
  recorder,
  catalogue,
  model,
  policies,
}: Deps): PlannerActivities['planGoalWithModel'] {
  async function plan({ submission }: PlanGoalArgs): Promise<PlannedGoal> {
    if (!model) throw new AstraError('ASTRA_MODEL_NOT_CONFIGURED', 'Set ASTRA_MODEL for the workers, or give a plan.');
    const tools = await catalogue();
    let earlier: { readonly plan: unknown; readonly faults: readonly Fault[] } | null = null;
    for (let round = 0; ; round += 1) {
      const prompt = planningPrompt(submission, tools, earlier);
      const { cancellationSignal: signal } = Context.current();
      const answer = await orEnded(model.generate({ ...prompt, schema: planAnswerSchema, signal }), signal);
      const proposed = 'object' in answer ? answer.object : null;
      try {
        return { ...validatePlan(proposed, tools, { source: 'model' }), params: {} };
      } catch (error) {
        if (!(error instanceof AstraError) || error.code !== 'ASTRA_PLAN_INVALID' || round === repairs) throw error;
        earlier = { plan: proposed, faults: error.faults };
      }
    }
  }

  return async (args) => {
    const beat = setInterval(heartbeat, heartbeatMs);
    let made: PlannedGoal | null = null;
    const planOnce = async (): Promise<PlannedGoal> => guardPlan(policies, args, (made ??= await plan(args)));
    try {
      return await whileAway(() => recordPlanning(recorder, args, planOnce), Context.current().cancellationSignal);
    } finally {
      clearInterval(beat);
    }
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
