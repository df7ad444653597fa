import { renderTemplate, type Scope } from './expressions.ts';
import type { Json, JsonObject } from './json.ts';

/**
 * Of the body that a `goal` task submits, a plan written out belongs to the child: its `{{ }}` refer to the child's own
 * tasks and are evaluated when the child runs. Everything else, a plan that is itself one expression included, is the
 * parent's.
 */
export function splitSubGoalBody(body: JsonObject): { readonly own: JsonObject; readonly childPlan: Json | undefined } {
  const { plan, ...rest } = body;
  return typeof plan === 'object' ? { own: rest, childPlan: plan } : { own: body, childPlan: undefined };
}

/**
 * The body to submit, with the parent's expressions evaluated.
 * @throws ASTRA_EXPRESSION_FAILED
 */
export function renderSubGoalBody(body: JsonObject, scope: Scope): JsonObject {
  const { own, childPlan } = splitSubGoalBody(body);
  // An object renders to an object.
  const rendered = renderTemplate(own, scope) as JsonObject;
  return childPlan === undefined ? rendered : { ...rendered, plan: childPlan };
}
