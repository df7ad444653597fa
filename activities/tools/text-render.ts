import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';
import { artifactSchema } from '../../domain/schemas/artifact.ts';
import { limits } from '../../domain/limits.ts';
import { defineTool, type Tool } from './define-tool.ts';
import { renderMustache } from './render-mustache.ts';

const outputSchema = z.union([z.strictObject({ text: z.string() }), z.strictObject({ artifact: artifactSchema })]);

/** `text.render`. Partials are left out: there is nowhere they could come from. */
export const textRender: Tool = defineTool({
  name: 'text.render',
  description:
    'Fills a Mustache template with data. Values are inserted as they are, without HTML escaping. Answers with the text, or with an artifact that holds it.',
  input: z.strictObject({
    template: z.string().max(limits.planBytes),
    data: z.unknown(),
    artifact: artifactSchema.pick({ name: true, mediaType: true }).optional(),
  }),
  output: outputSchema,
  effect: 'none',
  risk: 'low',
  execution: 'inline',
  timeoutSeconds: 30,
  async run({ template, data, artifact }, context) {
    const text = render(template, data);
    if (artifact === undefined) return { text };
    return { artifact: await context.artifacts.write({ ...artifact, bytes: Buffer.from(text) }) };
  },
});

function render(template: string, data: unknown): string {
  try {
    return renderMustache(template, data);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new AstraError('ASTRA_TOOL_INPUT_INVALID', `The input of text.render is not valid: /template: ${message}`, {
      faults: [{ pointer: '/template', message }],
    });
  }
}
