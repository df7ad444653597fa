import { AstraError } from '../../domain/errors.ts';
import { applyTemplate } from '../../domain/template.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { TemplateStore } from '../../stores/postgres/templates.ts';
import { validateParams } from '../../stores/template-params.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { PlanGoalArgs } from '../contract.ts';
import { markQuickTools, type ToolPace } from '../execution/tool-pace.ts';
import { requirePlanner, type Planners } from './planner-registry.ts';
import { guardPlan } from './guard-plan.ts';
import type { PlannedGoal } from './record-planning.ts';

export interface PlannerDeps {
  readonly catalogue: ToolCatalogue;
  readonly templates: Pick<TemplateStore, 'get'>;
  readonly pace: ToolPace;
  readonly policies: Pick<PolicyMemory, 'rulesOf'>;
  readonly planners: Planners;
}

/** The plan of a goal whose author has given it, or named its template. @throws ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID, ASTRA_REPLAN_FAILED */
export async function planAsGiven(deps: PlannerDeps, args: PlanGoalArgs): Promise<PlannedGoal> {
  requirePlanner(deps.planners, args.submission);
  const planned = await validateGiven(deps, args);
  const outline = markQuickTools(planned.outline, deps.pace);
  const { agentId } = args.submission;
  return { ...planned, outline: await guardPlan(deps.policies, args.goal, { outline, agentId }) };
}

async function validateGiven(
  { catalogue, templates }: PlannerDeps,
  { goal, submission }: PlanGoalArgs,
): Promise<PlannedGoal> {
  const tools = await catalogue();
  if (submission.plan) return { ...validatePlan(submission.plan, tools), params: {} };
  const { name, params: given = {} } = submission.template ?? { name: '' };
  const template = await templates.get(goal.tenant, name);
  if (!template) throw new AstraError('ASTRA_TEMPLATE_INVALID', `There is no template "${name}".`);
  const { plan: body, objective, params } = applyTemplate(template, given, validateParams);
  return { ...validatePlan(body, tools, { source: 'template' }), params, objective };
}
