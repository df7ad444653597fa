import { z } from 'zod';
import { namedSchemas, type SchemaName } from '../schemas.ts';

const uriOf = (name: string): string => `#/components/schemas/${name}`;
export const refTo = (name: SchemaName): { readonly $ref: string } => ({ $ref: uriOf(name) });

/**
 * The named schemas as JSON Schema 2020-12, by zod's own generator: unlike the OpenAPI library's it knows `z.json()` and
 * gives references between schemas that were made before the library was loaded.
 */
export function createComponentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(namedSchemas)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    uri: uriOf,
    io: 'input',
    override: ({ jsonSchema }) => {
      // Regular expressions of zod's own formats and the bounds of a safe integer say nothing to a reader.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return Object.fromEntries(Object.entries(schemas).map(([name, { $schema, $id, ...schema }]) => [name, schema]));
}
