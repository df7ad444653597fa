import { jsonSchema, type Schema } from 'ai';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { AstraError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';

/**
 * A JSON Schema as the AI SDK takes it, with a check of the answer: what a model returns is untrusted, whatever the
 * endpoint promises of structured output.
 * @throws ASTRA_TOOL_INPUT_INVALID when it is no JSON Schema (2020-12)
 */
export function answerSchema(schema: JsonObject): Schema<Json> {
  // One Ajv each: it would remember every schema for ever. Formats are hints to the model, not checked.
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false });
  const check = compile(ajv, schema);
  return jsonSchema<Json>(schema, {
    validate: (value) =>
      check(value)
        ? { success: true, value: value as Json } // It was parsed from JSON text.
        : { success: false, error: new Error(ajv.errorsText(check.errors, { dataVar: 'answer' })) },
  });
}

function compile(ajv: Ajv2020, schema: JsonObject): ReturnType<Ajv2020['compile']> {
  try {
    return ajv.compile(schema);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new AstraError('ASTRA_TOOL_INPUT_INVALID', `The schema of the answer is not valid: /schema: ${message}`, {
      faults: [{ pointer: '/schema', message }],
    });
  }
}
