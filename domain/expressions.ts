import { createBudget, spendResult } from './expressions/budget.ts';
import { EvaluationFault } from './expressions/evaluation-fault.ts';
import { parseExpression } from './expressions/parse-expression.ts';
import type { Scope } from './expressions/program.ts';
import { evaluate, explaining } from './expressions/render.ts';
import { isList, isMap, typeOf } from './expressions/value.ts';
import type { Json, JsonObject } from './json.ts';
import { limits } from './limits.ts';

/** CEL expressions over JSON: docs/guides/expressions.md is their reference for users. */
export { createParse, parseExpression, type Expression } from './expressions/parse-expression.ts';
export type { LocalName, Scope } from './expressions/program.ts';
export { expressionsIn, forEachTemplate, referencesOf } from './expressions/references.ts';
export { evaluateToJson, renderTemplate, renderText } from './expressions/render.ts';
export { hasExpression } from './expressions/text-template.ts';

/**
 * The value of a condition such as a task's `when` (CEL without `{{ }}`).
 * @throws ASTRA_EXPRESSION_FAILED, also when the value is neither true nor false
 */
export function evaluateCondition(text: string, scope: Scope): boolean {
  const expression = parseExpression(text);
  const value = evaluate(expression, scope, createBudget());
  return explaining(expression, () => {
    if (typeof value === 'boolean') return value;
    throw new EvaluationFault(`a condition must be true or false, not a ${typeOf(value)}`);
  });
}

/**
 * The list that a map goes over (CEL without `{{ }}`).
 * @throws ASTRA_EXPRESSION_FAILED, also when the value is no list or one of more than `limits.mapItems`
 */
export function evaluateList(text: string, scope: Scope): readonly Json[] {
  const expression = parseExpression(text);
  const budget = createBudget();
  const value = evaluate(expression, scope, budget);
  return explaining(expression, () => {
    if (!isList(value)) throw new EvaluationFault(`a map goes over a list, not over a ${typeOf(value)}`);
    if (value.length > limits.mapItems) {
      throw new EvaluationFault(`a map has at most ${limits.mapItems} items, not ${value.length}; split the list`);
    }
    spendResult(budget, value);
    return value;
  });
}

/**
 * The parameters that an inbound webhook makes of what it was sent (CEL without `{{ }}`).
 * @throws ASTRA_EXPRESSION_FAILED, also when the value is no map
 */
export function evaluateMap(text: string, scope: Scope): JsonObject {
  const expression = parseExpression(text);
  const budget = createBudget();
  const value = evaluate(expression, scope, budget);
  return explaining(expression, () => {
    if (!isMap(value))
      throw new EvaluationFault(`parameters are a map such as {"name": payload.name}, not a ${typeOf(value)}`);
    spendResult(budget, value);
    return value;
  });
}
