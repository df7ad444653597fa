import type { Json, JsonObject } from '../json.ts';
import { limits } from '../limits.ts';
import { BudgetFault } from './evaluation-fault.ts';
import { isList } from './value.ts';

/**
 * What the expressions of one evaluation may still cost. Plans are untrusted and expressions run on the worker's main
 * thread: without a bound, nested `map`s over long lists stall every goal of the worker, and sums of lists exhaust its
 * memory. A step is roughly an operation or 32 characters of text.
 */
export interface Budget {
  steps: number;
  /** Size of the results as JSON text. */
  chars: number;
}

/** Room for the largest output there is and as much around it. */
export const resultChars = 2 * limits.resolvedOutputBytes;

export const createBudget = (): Budget => ({ steps: limits.expressionSteps, chars: resultChars });

const charsAStep = 32;

export function spend(budget: Budget, steps: number): void {
  budget.steps -= steps;
  if (budget.steps < 0) {
    throw new BudgetFault(
      `it takes more than ${limits.expressionSteps} steps; do this work in a task, for example with code.javascript`,
    );
  }
}

/** For operations that look at a whole text. */
export function spendText(budget: Budget, ...texts: readonly string[]): void {
  for (const text of texts) spend(budget, 1 + Math.trunc(text.length / charsAStep));
}

/** Sizes of large lists and maps measured before: the items of a map often share one large output. */
const knownSizes = new WeakMap<object, number>();
const worthKnowingChars = 1024;

/** The size as JSON text, roughly; when larger than `limit`, any number that is larger too. */
function measure(json: Json, limit: number): number {
  if (typeof json === 'string') return json.length + 2;
  // Never too much: what counts is that a result cannot be far larger.
  if (typeof json !== 'object' || json === null) return 2;
  const known = knownSizes.get(json);
  if (known !== undefined) return known;
  const size = isList(json) ? measureList(json, limit) : measureMap(json, limit);
  if (size > worthKnowingChars && size <= limit) knownSizes.set(json, size);
  return size;
}

function measureList(list: readonly Json[], limit: number): number {
  let size = 2;
  for (const item of list) {
    size += 1 + measure(item, limit - size);
    if (size > limit) break;
  }
  return size;
}

function measureMap(map: JsonObject, limit: number): number {
  let size = 2;
  for (const [key, item] of Object.entries(map)) {
    size += key.length + 4 + measure(item, limit - size);
    if (size > limit) break;
  }
  return size;
}

/**
 * Charges for a result. One list may stand in another many times over, so that a result is far larger as text than in
 * memory.
 */
export function spendResult(budget: Budget, json: Json): void {
  budget.chars -= measure(json, budget.chars);
  if (budget.chars < 0) {
    throw new BudgetFault(
      `the result is larger than ${resultChars} characters; write it to an artifact and pass the reference on`,
    );
  }
}
