import type { Json, JsonObject } from '../json.ts';
import { EvaluationFault } from './evaluation-fault.ts';

/**
 * A value while an expression is evaluated: JSON, except that an integer is a bigint (CEL's int) and any other number a
 * number (CEL's double). Lists and maps hold plain JSON at all times: numbers are lifted when they are read out of one
 * and lowered when they are put into one, so that an output of many megabytes is never converted as a whole.
 */
export type Value = null | boolean | bigint | number | string | readonly Json[] | JsonObject;

export const isList = (value: Value | undefined): value is readonly Json[] => Array.isArray(value);
export const isMap = (value: Value | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isNumeric = (value: Value): value is bigint | number =>
  typeof value === 'bigint' || typeof value === 'number';

export function lift(json: Json): Value {
  return typeof json === 'number' && Number.isSafeInteger(json) ? BigInt(json) : json;
}

/** @throws EvaluationFault for what JSON cannot carry exactly */
export function lower(value: Value): Json {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new EvaluationFault(`${value.toString()} is beyond the integers that JSON carries exactly (±2^53)`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new EvaluationFault(`${value} is not a JSON number`);
  return value;
}

/** The value's type as CEL names it. */
export function typeOf(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return 'map';
  }
}

/** Own members only: data may have a key like `constructor`. */
export function member(map: JsonObject, key: string): Value | undefined {
  const json = Object.hasOwn(map, key) ? map[key] : undefined;
  return json === undefined ? undefined : lift(json);
}
