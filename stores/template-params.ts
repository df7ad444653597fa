import type { ValidateFunction } from 'ajv/dist/2020.js';
import { AstraError } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { jsonPointer } from '../domain/json-pointer.ts';
import { faultsError } from '../domain/schemas/parse.ts';
import type { ValidateParams } from '../domain/template.ts';
import { compileSchema, schemaFaults } from './json-schema.ts';

/**
 * Compiles a template's schema of its parameters.
 * @throws ASTRA_TEMPLATE_INVALID with the pointer `/params` into the template when it is no schema
 */
export function compileParams(schema: JsonObject): ValidateFunction {
  try {
    return compileSchema(schema);
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
  const faults = schemaFaults(validate, ['template', 'params']);
  throw faultsError(faults, 'ASTRA_TEMPLATE_INVALID', "The template's parameters are not valid");
};
