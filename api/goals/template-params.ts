import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import { AstraError, type Fault } from '../../domain/errors.ts';
import type { JsonObject } from '../../domain/json.ts';

/** Compiling costs milliseconds, checking microseconds. Keyed by the schema's text, so that a replaced template is a new one. */
const compiled = new LRUCache<string, ValidateFunction>({ max: 500 });

/** @throws ASTRA_TEMPLATE_INVALID when `params` is no JSON Schema; @param pointer where it stands in the body */
export function compileParams(schema: JsonObject, pointer: string): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known) return known;
  try {
    // One instance a schema: two templates may use the same $id.
    const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    compiled.set(key, validate);
    return validate;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'is not a JSON Schema';
    throw new AstraError('ASTRA_TEMPLATE_INVALID', 'The template’s `params` must be a JSON Schema (2020-12).', {
      faults: [{ pointer, message }],
      cause,
    });
  }
}

/** @throws ASTRA_TEMPLATE_INVALID with a pointer for each fault, under `pointer`. */
export function requireParams(schema: JsonObject, params: JsonObject, pointer: string): void {
  const validate = compileParams(schema, pointer);
  if (validate(params)) return;
  const faults = (validate.errors ?? []).map((error) => toFault(error, pointer));
  throw new AstraError('ASTRA_TEMPLATE_INVALID', 'The parameters do not fit the template’s schema.', { faults });
}

function toFault(error: ErrorObject, pointer: string): Fault {
  const extra: unknown = error.params['additionalProperty'] ?? error.params['missingProperty'];
  const field = typeof extra === 'string' ? `/${extra.replaceAll('~', '~0').replaceAll('/', '~1')}` : '';
  return { pointer: `${pointer}${error.instancePath}${field}`, message: error.message ?? 'is not valid' };
}
