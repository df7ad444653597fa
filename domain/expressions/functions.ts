import type { Json, JsonObject } from '../json.ts';
import { calculate, concatenate } from './arithmetic.ts';
import { spend, spendResult, spendText, type Budget } from './budget.ts';
import { EvaluationFault } from './evaluation-fault.ts';
import { isList, isMap, isNumeric, lift, lower, typeOf, type Value } from './value.ts';

interface ParameterTypes {
  readonly any: Value;
  readonly string: string;
  readonly int: bigint;
  readonly list: readonly Json[];
}
type ParameterType = keyof ParameterTypes;
type Arguments<P extends readonly ParameterType[]> = { readonly [I in keyof P]: ParameterTypes[P[I]] };

/** @throws EvaluationFault */
export type ExpressionFunction = (args: readonly Value[], budget: Budget) => Value;

/** Texts are charged for here, because each function looks at the whole of its texts. */
function define<const P extends readonly ParameterType[]>(
  name: string,
  parameters: P,
  run: (args: Arguments<P>, budget: Budget) => Value,
): [signature: string, ExpressionFunction] {
  const call: ExpressionFunction = (args, budget) => {
    parameters.forEach((type, index) => {
      const argument = args[index] ?? null;
      if (type !== 'any' && typeOf(argument) !== type) {
        throw new EvaluationFault(`${name} needs a ${type} here, not a ${typeOf(argument)}`);
      }
      if (typeof argument === 'string') spendText(budget, argument);
    });
    // The loop above has compared each argument's type with its parameter's.
    return run(args as unknown as Arguments<P>, budget);
  };
  return [`${name}/${parameters.length}`, call];
}

function toJsonText(value: Value, budget: Budget): string {
  const json = lower(value);
  spendResult(budget, json);
  return JSON.stringify(json);
}

/** Text as it stands in a sentence: a string as it is, any other value as JSON. */
export function toText(value: Value, budget: Budget): string {
  return typeof value === 'string' ? value : toJsonText(value, budget);
}

function size(value: Value, budget: Budget): bigint {
  if (isList(value)) return BigInt(value.length);
  if (isMap(value)) {
    const { length } = Object.keys(value);
    spend(budget, length);
    return BigInt(length);
  }
  if (typeof value !== 'string') throw new EvaluationFault(`a ${typeOf(value)} has no size`);
  // Characters outside of Unicode's first plane take two places in `length`. Counting costs ten times as much as copying.
  spend(budget, Math.trunc(value.length / 4));
  let characters = 0;
  for (const _ of value) characters += 1;
  return BigInt(characters);
}

function toInt(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value));
  if (typeof value === 'string' && /^[+-]?\d{1,18}$/.test(value)) return BigInt(value);
  throw new EvaluationFault(`int cannot read this ${typeOf(value)}`);
}

function toDouble(value: Value): number {
  if (isNumeric(value)) return Number(value);
  if (typeof value === 'string' && /^[+-]?\d+(?:[.]\d+)?(?:[eE][+-]?\d+)?$/.test(value)) return Number(value);
  throw new EvaluationFault(`double cannot read this ${typeOf(value)}`);
}

function substring(text: string, start: bigint, end: bigint): string {
  if (start >= 0n && start <= end && end <= BigInt(text.length)) return text.substring(Number(start), Number(end));
  throw new EvaluationFault(`substring from ${start.toString()} to ${end.toString()} leaves a text of ${text.length}`);
}

function join(list: readonly Json[], separator: string, budget: Budget): string {
  spend(budget, list.length);
  return list
    .map((item) => toText(lift(item), budget))
    .reduce((text, part, index) => concatenate(text, index === 0 ? part : separator + part), '');
}

function sum(list: readonly Json[], budget: Budget): Value {
  spend(budget, list.length);
  return list.reduce<Value>((total, item) => calculate('+', total, lift(item)), 0n);
}

function flatten(list: readonly Json[], budget: Budget): Json[] {
  const flat: Json[] = [];
  for (const item of list) {
    spend(budget, isList(item) ? item.length + 1 : 1);
    if (isList(item)) for (const inner of item) flat.push(inner);
    else flat.push(item);
  }
  return flat;
}

function split(text: string, separator: string, budget: Budget): string[] {
  const parts = text.split(separator);
  spend(budget, parts.length);
  return parts;
}

function entries(map: Value, budget: Budget): JsonObject[] {
  if (!isMap(map)) throw new EvaluationFault(`entries needs a map, not a ${typeOf(map)}`);
  const pairs = Object.entries(map);
  spend(budget, pairs.length);
  return pairs.map(([key, value]) => ({ key, value }));
}

/** By name and number of arguments. `x.f(a)` is `f(x, a)`. docs/guides/expressions.md lists them, and a test compares. */
export const functions: ReadonlyMap<string, ExpressionFunction> = new Map([
  define('size', ['any'], ([value], budget) => size(value, budget)),
  define('string', ['any'], ([value], budget) => toText(value, budget)),
  define('int', ['any'], ([value]) => toInt(value)),
  define('double', ['any'], ([value]) => toDouble(value)),
  define('json', ['any'], ([value], budget) => toJsonText(value, budget)),
  define('contains', ['string', 'string'], ([text, part]) => text.includes(part)),
  define('startsWith', ['string', 'string'], ([text, part]) => text.startsWith(part)),
  define('endsWith', ['string', 'string'], ([text, part]) => text.endsWith(part)),
  define('indexOf', ['string', 'string'], ([text, part]) => BigInt(text.indexOf(part))),
  define('lastIndexOf', ['string', 'string'], ([text, part]) => BigInt(text.lastIndexOf(part))),
  define('substring', ['string', 'int'], ([text, start]) => substring(text, start, BigInt(text.length))),
  define('substring', ['string', 'int', 'int'], ([text, start, end]) => substring(text, start, end)),
  define('lowerAscii', ['string'], ([text]) => text.toLowerCase()),
  define('upperAscii', ['string'], ([text]) => text.toUpperCase()),
  define('trim', ['string'], ([text]) => text.trim()),
  define('split', ['string', 'string'], ([text, separator], budget) => split(text, separator, budget)),
  define('join', ['list'], ([list], budget) => join(list, '', budget)),
  define('join', ['list', 'string'], ([list, separator], budget) => join(list, separator, budget)),
  define('sum', ['list'], ([list], budget) => sum(list, budget)),
  define('flatten', ['list'], ([list], budget) => flatten(list, budget)),
  define('entries', ['any'], ([map], budget) => entries(map, budget)),
]);
