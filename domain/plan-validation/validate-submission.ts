import { faultsError, tryParse } from '../schemas/parse.ts';
import { goalSubmissionSchema, type GoalSubmission, type PlanSource } from '../schemas/goal.ts';
import { placeholderPlan } from './check-sub-goal.ts';
import type { CheckedPlan } from './check-plan.ts';
import { checkWholePlan, type ToolCatalogue } from './validate-plan.ts';

const hasPlan = (body: unknown): body is { readonly plan: unknown } =>
  typeof body === 'object' && body !== null && 'plan' in body && body.plan !== undefined;

/** The plan is checked by itself, so that its faults are all found whatever else is wrong. */
function checkGivenPlan(body: unknown, catalogue: ToolCatalogue, source: PlanSource): Partial<CheckedPlan> {
  if (!hasPlan(body)) return {};
  const { plan, faults, tasks } = checkWholePlan(body.plan, catalogue, source);
  return {
    ...(plan && { plan }),
    tasks,
    faults: faults.map(({ pointer, message }) => ({ pointer: `/plan${pointer}`, message })),
  };
}

/**
 * Validates the body that submits a goal, its plan included.
 * @param options.allowParams may the plan use `params`, as a template's plan may?
 * @throws ASTRA_BODY_INVALID, or ASTRA_PLAN_INVALID when only the plan is wrong, with a fault for everything that is
 *   wrong, each with a JSON pointer into the body (into the plan: `/plan/…`)
 */
export function validateSubmission(
  body: unknown,
  catalogue: ToolCatalogue,
  { allowParams = false }: { readonly allowParams?: boolean } = {},
): GoalSubmission {
  const rest = hasPlan(body) ? { ...body, plan: placeholderPlan } : body;
  const { data, faults: ofBody } = tryParse(goalSubmissionSchema, rest);
  const { plan, faults: ofPlan = [] } = checkGivenPlan(body, catalogue, allowParams ? 'template' : 'explicit');
  if (!data) throw faultsError([...ofBody, ...ofPlan], 'ASTRA_BODY_INVALID', 'The body is not valid');
  if (ofPlan.length > 0) throw faultsError(ofPlan, 'ASTRA_PLAN_INVALID', 'The plan is not valid');
  return plan ? { ...data, plan } : data;
}
