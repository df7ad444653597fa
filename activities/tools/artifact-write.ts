import { z } from 'zod';
import { artifactSchema } from '../../domain/schemas/artifact.ts';
import { defineTool, type Tool } from './define-tool.ts';

const named = artifactSchema.pick({ name: true, mediaType: true }).shape;

/** `artifact.write`. The same bytes under the same name are the same artifact, however often they are written. */
export const artifactWrite: Tool = defineTool({
  name: 'artifact.write',
  description: 'Stores text or base64-encoded bytes as an artifact and answers with its reference.',
  input: z.union([z.strictObject({ ...named, text: z.string() }), z.strictObject({ ...named, base64: z.base64() })]),
  output: z.strictObject({ artifact: artifactSchema }),
  effect: 'idempotent',
  risk: 'low',
  async run({ name, mediaType, ...content }, context) {
    const bytes = 'text' in content ? Buffer.from(content.text) : Buffer.from(content.base64, 'base64');
    return { artifact: await context.artifacts.write({ name, mediaType, bytes }) };
  },
});
