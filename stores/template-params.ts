import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import { AstraError, type Fault } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { jsonPointer } from '../domain/json-pointer.ts';
import { faultsError } from '../domain/schemas/parse.ts';
import type { ValidateParams } from '../domain/template.ts';

const place = ['template', 'params'];

function faultOf({ instancePath, params, message = 'is not valid' }: ErrorObject): Fault {
  const base = `${jsonPointer(place)}${instancePath}`;
  // ajv points at the object that has a wrong or lacks a right property.
  if (typeof params.missingProperty === 'string')
    return { pointer: `${base}${jsonPointer([params.missingProperty])}`, message: 'missing' };
  if (typeof params.additionalProperty === 'string')
    return { pointer: `${base}${jsonPointer([params.additionalProperty])}`, message: 'unknown field' };
  return { pointer: base, message };
}

/** Compiling costs milliseconds, checking microseconds. Keyed by the schema's text: a replaced template is a new one. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 500 });

/**
 * Compiles a template's schema of its parameters (draft 2020-12; `format`s are not checked).
 * @throws ASTRA_TEMPLATE_INVALID with the pointer `/params` into the template when it is no schema
 */
export function compileParams(schema: JsonObject): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  try {
    // An instance for each schema: two templates may use the same $id.
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
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new AstraError(
      'ASTRA_TEMPLATE_INVALID',
      `The template's params are no JSON Schema (draft 2020-12): ${reason}. Correct the template.`,
      { faults: [{ pointer: jsonPointer(['params']), message: reason }], cause: error },
    );
  }
}

/**
 * Checks parameters and fills in defaults.
 * @throws ASTRA_TEMPLATE_INVALID with pointers `/template/params/…` into the goal's body
 */
export const validateParams: ValidateParams = (schema, given) => {
  const validate = compileParams(schema);
  // ajv sets the defaults in place.
  const params = structuredClone(given);
  if (validate(params)) return params;
  const faults = (validate.errors ?? []).map(faultOf);
  throw faultsError(faults, 'ASTRA_TEMPLATE_INVALID', "The template's parameters are not valid");
};
