import { AstraError } from '../errors.ts';
import type { Json } from '../json.ts';
import { createBudget, spendResult, type Budget } from './budget.ts';
import { EvaluationFault } from './evaluation-fault.ts';
import { toText } from './functions.ts';
import { shown, type Expression } from './parse-expression.ts';
import type { Scope } from './program.ts';
import { hasExpression, parseTextTemplate } from './text-template.ts';
import { isList, isMap, lower, type Value } from './value.ts';

/** @throws ASTRA_EXPRESSION_FAILED */
export function evaluate(expression: Expression, scope: Scope, budget: Budget): Value {
  return explaining(expression, () => expression.run({ scope, budget, variables: [] }));
}

/** Runs something for an expression; says of a fault whose it is. */
export function explaining<T>(expression: Expression, run: () => T): T {
  const fail = (reason: string, cause: unknown): AstraError =>
    new AstraError('ASTRA_EXPRESSION_FAILED', `The expression ${shown(expression.text)} failed: ${reason}.`, { cause });
  try {
    return run();
  } catch (error) {
    if (error instanceof EvaluationFault) throw fail(error.message, error);
    // The stack or the length of a string came to its end.
    if (error instanceof RangeError) throw fail('its values are nested too deeply or too large', error);
    throw error;
  }
}

/** The expression's value. @throws ASTRA_EXPRESSION_FAILED */
export function evaluateToJson(expression: Expression, scope: Scope, budget: Budget = createBudget()): Json {
  return explaining(expression, () => {
    const json = lower(evaluate(expression, scope, budget));
    spendResult(budget, json);
    return json;
  });
}

function evaluateToText(expression: Expression, scope: Scope, budget: Budget): string {
  return explaining(expression, () => {
    const text = toText(evaluate(expression, scope, budget), budget);
    spendResult(budget, text);
    return text;
  });
}

/**
 * The text with the values of its `{{ expressions }}` in it: strings as they are, other values as JSON.
 * @throws ASTRA_EXPRESSION_FAILED
 */
export function renderText(text: string, scope: Scope, budget: Budget = createBudget()): string {
  if (!hasExpression(text)) return text;
  return parseTextTemplate(text)
    .map((part) => (typeof part === 'string' ? part : evaluateToText(part, scope, budget)))
    .join('');
}

function renderString(text: string, scope: Scope, budget: Budget): Json {
  if (!hasExpression(text)) return text;
  const [only, ...others] = parseTextTemplate(text);
  if (only !== undefined && typeof only !== 'string' && others.length === 0) return evaluateToJson(only, scope, budget);
  return renderText(text, scope, budget);
}

/**
 * The JSON with its `{{ expressions }}` evaluated. A string that is one expression becomes its value, of whatever type;
 * in any other string the values are set into the text. Keys are left as they are, and values are never looked into
 * for expressions. Values are shared with the scope, not copied.
 * @throws ASTRA_EXPRESSION_FAILED
 */
export function renderTemplate(template: Json, scope: Scope, budget: Budget = createBudget()): Json {
  if (typeof template === 'string') return renderString(template, scope, budget);
  if (isList(template)) return template.map((item) => renderTemplate(item, scope, budget));
  if (!isMap(template)) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, value]) => [key, renderTemplate(value, scope, budget)]),
  );
}
