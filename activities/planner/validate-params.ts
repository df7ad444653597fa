import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { AstraError, type Fault } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';
import { jsonPointer } from '../../domain/json-pointer.ts';
import { faultsError } from '../../domain/schemas/parse.ts';
import type { ValidateParams } from '../../domain/template.ts';

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

function compile(schema: JsonObject): ValidateFunction {
  try {
    // An instance for each schema: one that is shared keeps every schema for ever.
    return new Ajv2020({ allErrors: true, useDefaults: true, validateFormats: false, logger: false }).compile(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown';
    throw new AstraError(
      'ASTRA_TEMPLATE_INVALID',
      `The template's params are no JSON Schema (draft 2020-12): ${reason}. Correct the template.`,
      { faults: [{ pointer: jsonPointer(['params']), message: reason }], cause: error },
    );
  }
}

/** Compiled schemas are kept as long as their templates are. */
const compiled = new WeakMap<JsonObject, ValidateFunction>();

/**
 * Checks a template's parameters against its JSON Schema (draft 2020-12) and fills in its defaults. `format`s are not
 * checked.
 * @throws ASTRA_TEMPLATE_INVALID with pointers `/template/params/…` into the goal's body when the parameters do not fit,
 *   with `/params` into the template when its schema is none
 */
export const validateParams: ValidateParams = (schema, given) => {
  const validate = compiled.get(schema) ?? compile(schema);
  compiled.set(schema, validate);
  // ajv sets the defaults in place.
  const params = structuredClone(given);
  if (validate(params)) return params;
  const faults = (validate.errors ?? []).map(faultOf);
  throw faultsError(faults, 'ASTRA_TEMPLATE_INVALID', "The template's parameters are not valid");
};
