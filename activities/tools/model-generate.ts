import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';
import { jsonObjectSchema, usageSchema } from '../../domain/schemas/common.ts';
import { utf8Bytes } from '../../domain/utf8-bytes.ts';
import type { Model } from '../llm/model.ts';
import { defineTool, type Tool } from './define-tool.ts';

/** Of an answer whose length the input does not bound. */
const longAnswerTokens = 4_096;
/** English has some four bytes a token, other languages and code fewer. */
const bytesPerToken = 3;

/** `model.generate`. Without side effects, but each call costs. */
export function createModelGenerate(model: Model | null): Tool {
  return defineTool({
    name: 'model.generate',
    description: 'Asks a language model. Answers with text, or with an object that follows the given JSON Schema.',
    input: z.strictObject({
      prompt: z.string().min(1),
      system: z.string().optional(),
      schema: jsonObjectSchema.optional().describe('JSON Schema (2020-12) of the answer'),
      model: z.string().min(1).max(200).optional().describe('unless given, the one that the operator configured'),
      temperature: z.number().min(0).max(2).optional(),
      maxTokens: z.int().min(1).max(1_000_000).optional(),
    }),
    output: z.union([
      z.strictObject({ text: z.string(), usage: usageSchema }),
      z.strictObject({ object: z.unknown(), usage: usageSchema }),
    ]),
    effect: 'none',
    risk: 'low',
    timeoutSeconds: 120,
    estimate: { tokens: longAnswerTokens },
    estimateCall({ prompt, system = '', schema = {}, maxTokens = longAnswerTokens }) {
      const asked = utf8Bytes(prompt) + utf8Bytes(system) + utf8Bytes(JSON.stringify(schema));
      return { tokens: Math.ceil(asked / bytesPerToken) + maxTokens };
    },
    async run(input, context) {
      if (!model) {
        const hint =
          'No model is configured: set ASTRA_MODEL, ASTRA_MODEL_BASE_URL and, if it needs one, ASTRA_MODEL_API_KEY.';
        throw new AstraError('ASTRA_MODEL_NOT_CONFIGURED', hint);
      }
      const onText = (text: string): void => context.progress({ stream: 'text', text });
      const generated = await model.generate({ ...input, signal: context.signal, onText });
      context.reportUsage(generated.usage);
      return generated;
    },
  });
}
