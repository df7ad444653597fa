import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModel } from 'ai';
import { AstraError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config.ts';

export type ModelConfig = Pick<
  Config,
  'ASTRA_MODEL' | 'ASTRA_MODEL_PROVIDER' | 'ASTRA_MODEL_BASE_URL' | 'ASTRA_MODEL_API_KEY'
>;

/** From a model's name to the model, at the configured endpoint. */
export function createProvider(config: ModelConfig): (name: string) => LanguageModel {
  const baseURL = config.ASTRA_MODEL_BASE_URL;
  const apiKey = config.ASTRA_MODEL_API_KEY?.reveal();
  // Without a key the SDKs take OPENAI_API_KEY or ANTHROPIC_API_KEY from the environment.
  const endpoint = { ...(apiKey !== undefined && { apiKey }), ...(baseURL !== undefined && { baseURL }) };
  switch (config.ASTRA_MODEL_PROVIDER ?? 'openai-compatible') {
    case 'anthropic':
      return createAnthropic(endpoint);
    case 'openai':
      // Chat completions rather than responses: the protocol that proxies in front of OpenAI speak too.
      return createOpenAI(endpoint).chat;
    case 'openai-compatible': {
      if (baseURL === undefined) {
        const hint = 'Set ASTRA_MODEL_BASE_URL to the endpoint, or ASTRA_MODEL_PROVIDER to "openai" or "anthropic".';
        throw new AstraError('ASTRA_PARAMETER_INVALID', hint);
      }
      return createOpenAICompatible({
        name: 'astra',
        baseURL,
        ...(apiKey !== undefined && { apiKey }),
        includeUsage: true,
        supportsStructuredOutputs: true,
      });
    }
  }
}
