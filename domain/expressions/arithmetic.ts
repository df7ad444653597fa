import type { Json } from '../json.ts';
import { resultChars, spend, spendText, type Budget } from './budget.ts';
import { BudgetFault, EvaluationFault } from './evaluation-fault.ts';
import { isList, isMap, isNumeric, lift, typeOf, type Value } from './value.ts';

/** Numbers compare by what they are worth, ints and doubles alike; other values of two types are never equal. */
export function isEqual(left: Value, right: Value, budget: Budget): boolean {
  spend(budget, 1);
  if (left === right) return true;
  if (isNumeric(left) && isNumeric(right)) return left <= right && left >= right;
  if (typeof left === 'string' && typeof right === 'string') return sameText(left, right, budget);
  if (isList(left) && isList(right)) return sameList(left, right, budget);
  if (!isMap(left) || !isMap(right)) return false;
  const keys = Object.keys(left);
  spend(budget, keys.length);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key] ?? null, right[key] ?? null, budget));
}

function sameText(left: string, right: string, budget: Budget): boolean {
  if (left.length !== right.length) return false;
  spendText(budget, left);
  return left === right;
}

const sameList = (left: readonly Json[], right: readonly Json[], budget: Budget): boolean =>
  left.length === right.length && left.every((item, index) => isEqual(item, right[index] ?? null, budget));

function contains(item: Value, collection: Value, budget: Budget): boolean {
  if (isList(collection)) return collection.some((other) => isEqual(item, lift(other), budget));
  if (isMap(collection) && typeof item === 'string') return Object.hasOwn(collection, item);
  throw noOverload(item, 'in', collection);
}

const noOverload = (left: Value, operator: string, right: Value): EvaluationFault =>
  new EvaluationFault(`no ${operator} for ${typeOf(left)} and ${typeOf(right)}`);

export function concatenate(left: string, right: string): string {
  // V8 shares the parts of a long text until something looks at the whole of it.
  if (left.length + right.length > resultChars)
    throw new BudgetFault(`a text becomes longer than ${resultChars} characters`);
  return left + right;
}

const integerRange = 2n ** 63n;

const integers: Readonly<Record<string, (left: bigint, right: bigint) => bigint>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '%': (left, right) => left % right,
};

const doubles: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};

function calculateInteger(operator: string, left: bigint, right: bigint): bigint {
  if (right === 0n && (operator === '/' || operator === '%')) throw new EvaluationFault('division by zero');
  const result = integers[operator]?.(left, right);
  if (result === undefined) throw noOverload(left, operator, right);
  if (result >= integerRange || result < -integerRange) throw new EvaluationFault('integer overflow');
  return result;
}

/** Of two ints an int (`/` cuts the fraction off, as in CEL); with a double among them a double, which CEL refuses. */
export function calculate(operator: string, left: Value, right: Value): Value {
  if (typeof left === 'bigint' && typeof right === 'bigint') return calculateInteger(operator, left, right);
  const result = isNumeric(left) && isNumeric(right) ? doubles[operator]?.(Number(left), Number(right)) : undefined;
  if (result === undefined) throw noOverload(left, operator, right);
  return result;
}

function add(left: Value, right: Value, budget: Budget): Value {
  if (typeof left === 'string' && typeof right === 'string') return concatenate(left, right);
  if (!isList(left) || !isList(right)) return calculate('+', left, right);
  spend(budget, left.length + right.length);
  return [...left, ...right];
}

type Ordered = number | bigint | string;

const orders: Readonly<Record<string, (left: Ordered, right: Ordered) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

function compare(operator: string, left: Value, right: Value, budget: Budget): boolean {
  const order = orders[operator];
  if (order && isNumeric(left) && isNumeric(right)) return order(left, right);
  if (!order || typeof left !== 'string' || typeof right !== 'string') throw noOverload(left, operator, right);
  spendText(budget, left);
  return order(left, right);
}

/** Applies a binary operator of CEL, `&&` and `||` aside. @throws EvaluationFault */
export function applyOperator(operator: string, left: Value, right: Value, budget: Budget): Value {
  switch (operator) {
    case '==':
      return isEqual(left, right, budget);
    case '!=':
      return !isEqual(left, right, budget);
    case 'in':
      return contains(left, right, budget);
    case '+':
      return add(left, right, budget);
    case '-':
    case '*':
    case '/':
    case '%':
      return calculate(operator, left, right);
    default:
      return compare(operator, left, right, budget);
  }
}
