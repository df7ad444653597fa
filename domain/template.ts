import { renderText } from './expressions.ts';
import type { JsonObject } from './json.ts';
import type { Plan } from './schemas/plan.ts';
import type { Template } from './schemas/template.ts';

/**
 * Checks parameters against a JSON Schema and returns them with the schema's defaults filled in.
 * @throws ASTRA_TEMPLATE_INVALID
 */
export type ValidateParams = (schema: JsonObject, params: JsonObject) => JsonObject;

export interface AppliedTemplate {
  readonly objective: string;
  /** As the template has it: its expressions read `params` when they are evaluated. */
  readonly plan: Plan;
  /** With defaults; to be recorded with the plan and given to every evaluation as `params`. */
  readonly params: JsonObject;
}

/**
 * Makes a goal's plan of a template. The template's objective, where the goal has none of its own, may read `params`.
 * @throws ASTRA_TEMPLATE_INVALID when the parameters do not fit; ASTRA_EXPRESSION_FAILED when the objective does not
 */
export function applyTemplate(template: Template, given: JsonObject, validateParams: ValidateParams): AppliedTemplate {
  const params = validateParams(template.params, given);
  return { objective: renderText(template.objective, { params }), plan: template.plan, params };
}
