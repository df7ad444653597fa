import { generateText, Output, streamText, type LanguageModelUsage } from 'ai';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { Usage } from '../../domain/schemas/common.ts';
import { abortError } from '../tools/abort-error.ts';
import { answerSchema } from './answer-schema.ts';
import { toModelError } from './model-error.ts';
import { createProvider, type ModelConfig } from './provider.ts';

export interface GenerateArgs {
  readonly prompt: string;
  readonly system?: string | undefined;
  /** JSON Schema (2020-12) of the answer. With it the answer is an object, else text. */
  readonly schema?: JsonObject | undefined;
  /** Unless given, the configured one. */
  readonly model?: string | undefined;
  readonly temperature?: number | undefined;
  readonly maxTokens?: number | undefined;
  readonly signal: AbortSignal;
  /** The answer as it comes. Asks the endpoint to stream. */
  readonly onText?: (text: string) => void;
}
export type Generated = ({ readonly text: string } | { readonly object: Json }) & { readonly usage: Usage };

export interface Model {
  /**
   * One request, never repeated here: whoever calls is retried by Temporal. What comes back is untrusted.
   * @throws ASTRA_MODEL_FAILED (may pass), ASTRA_MODEL_REFUSED (will not), ASTRA_TOOL_INPUT_INVALID (schema),
   *   ASTRA_TOOL_TIMEOUT or ASTRA_CANCELLED when the signal aborts
   */
  generate(args: GenerateArgs): Promise<Generated>;
}

/** The SDK prints its warnings to standard error otherwise. */
globalThis.AI_SDK_LOG_WARNINGS = false;

/** Null when no model is configured (ASTRA_MODEL). @throws ASTRA_PARAMETER_INVALID when its endpoint is missing */
export function createModel(config: ModelConfig): Model | null {
  const defaultModel = config.ASTRA_MODEL;
  if (defaultModel === undefined) return null;
  const provider = createProvider(config);
  return {
    async generate(args) {
      const settings = {
        model: provider(args.model ?? defaultModel),
        prompt: args.prompt,
        ...(args.system !== undefined && { system: args.system }),
        ...(args.temperature !== undefined && { temperature: args.temperature }),
        ...(args.maxTokens !== undefined && { maxOutputTokens: args.maxTokens }),
        ...(args.schema !== undefined && { output: Output.object({ schema: answerSchema(args.schema) }) }),
        // Strict mode takes a part of JSON Schema only; the answer is checked here anyway.
        providerOptions: { openai: { strictJsonSchema: false }, astra: { strictJsonSchema: false } },
        abortSignal: args.signal,
        maxRetries: 0,
      };
      const startedAt = performance.now();
      try {
        const { answer, usage } = await (args.onText ? stream(settings, args.onText) : ask(settings));
        const seconds = Math.round(performance.now() - startedAt) / 1000;
        // Prices are not known here yet.
        const spent: Usage = { usd: '0', tokens: usage.totalTokens ?? 0, seconds };
        // Parsed from JSON text and checked by `answerSchema`.
        if (args.schema !== undefined) return { object: answer.output as Json, usage: spent };
        return { text: answer.text, usage: spent };
      } catch (error) {
        throw args.signal.aborted ? abortError(args.signal, { cause: error }) : toModelError(error);
      }
    },
  };
}

type Settings = Parameters<typeof generateText>[0] & Parameters<typeof streamText>[0];
interface Answered {
  readonly answer: { readonly text: string; readonly output: unknown };
  readonly usage: LanguageModelUsage;
}

async function ask(settings: Settings): Promise<Answered> {
  const result = await generateText(settings);
  return { answer: result, usage: result.totalUsage };
}

async function stream(settings: Settings, onText: (text: string) => void): Promise<Answered> {
  // Failures come as parts of the stream; without `onError` the SDK prints them as well.
  const result = streamText({ ...settings, onError: () => undefined });
  for await (const part of result.fullStream) {
    if (part.type === 'text-delta') onText(part.text);
    if (part.type === 'error') throw part.error;
  }
  const output: unknown = await result.output;
  return { answer: { text: await result.text, output }, usage: await result.totalUsage };
}
