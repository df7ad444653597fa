import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import type { Fault } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { jsonPointer } from '../domain/json-pointer.ts';

/** Compiling costs milliseconds, checking microseconds. Keyed by the schema's text: a schema that was changed is a new one. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 500 });

/**
 * Compiles a JSON Schema (draft 2020-12; `format`s are not checked). What it validates is given the schema's defaults, in
 * place.
 * @throws what ajv throws when it is no schema
 */
export function compileSchema(schema: JsonObject): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  // An instance for each schema: two of them may use the same $id.
  const ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    useDefaults: true,
    validateFormats: false,
    logger: false,
  });
  const validate = ajv.compile(schema);
  compiled.set(key, validate);
  return validate;
}

/** What a value was found wrong with; `place` leads to the value. */
export const schemaFaults = ({ errors }: Pick<ValidateFunction, 'errors'>, place: readonly string[]): Fault[] =>
  (errors ?? []).map((error) => faultOf(error, jsonPointer(place)));

function faultOf({ instancePath, params, message = 'is not valid' }: ErrorObject, place: string): Fault {
  const base = `${place}${instancePath}`;
  // ajv points at the object that has a wrong or lacks a right property.
  if (typeof params.missingProperty === 'string')
    return { pointer: `${base}${jsonPointer([params.missingProperty])}`, message: 'missing' };
  if (typeof params.additionalProperty === 'string')
    return { pointer: `${base}${jsonPointer([params.additionalProperty])}`, message: 'unknown field' };
  return { pointer: base, message };
}
