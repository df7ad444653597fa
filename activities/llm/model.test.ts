import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../platform/config.ts';
import { startOpenAiServer, type OpenAiServer } from '../../test/support/openai-server.ts';
import { createModel, type GenerateArgs, type Model } from './model.ts';

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, people: { type: 'integer', minimum: 0 } },
  required: ['city', 'people'],
  additionalProperties: false,
};
let server: OpenAiServer;
let model: Model;
const generate = (args: Partial<GenerateArgs> = {}) =>
  model.generate({ prompt: 'Hello?', signal: new AbortController().signal, ...args });

beforeEach(async () => {
  server = await startOpenAiServer([{ text: 'Hello, world.' }]);
  model = createModel(
    loadConfig({ ASTRA_MODEL: 'tiny', ASTRA_MODEL_BASE_URL: server.url, ASTRA_MODEL_API_KEY: 'the-key' }),
  )!;
});
afterEach(() => server.stop());

describe('configuration', () => {
  test('without a model’s name there is no model', () => {
    expect(createModel(loadConfig({}))).toBeNull();
  });

  test('an endpoint of no known provider needs its address', () => {
    expect(() => createModel(loadConfig({ ASTRA_MODEL: 'tiny' }))).toThrow('ASTRA_MODEL_BASE_URL');
  });

  test('the OpenAI provider speaks to another base URL too', async () => {
    const env = { ASTRA_MODEL: 'tiny', ASTRA_MODEL_PROVIDER: 'openai', ASTRA_MODEL_BASE_URL: server.url };
    model = createModel(loadConfig({ ...env, ASTRA_MODEL_API_KEY: 'k' }))!;
    server.script([{ object: { city: 'Bern', people: 1 } }]);
    expect(await generate({ schema })).toMatchObject({ object: { city: 'Bern', people: 1 } });
    expect(server.requests[0]).toMatchObject({ path: '/v1/chat/completions', body: { model: 'tiny' } });
  });

  test('a provider that needs a key and has none says so', async () => {
    vi.stubEnv('OPENAI_API_KEY', undefined);
    model = createModel(loadConfig({ ASTRA_MODEL: 'tiny', ASTRA_MODEL_PROVIDER: 'openai' }))!;
    for (const onText of [undefined, () => undefined]) {
      const asked = generate(onText && { onText });
      await expect(asked).rejects.toMatchObject({ code: 'ASTRA_MODEL_REFUSED', retryable: false });
      await expect(asked).rejects.toThrow('ASTRA_MODEL_API_KEY');
    }
    vi.unstubAllEnvs();
  });

  test('the Anthropic provider speaks its own protocol', async () => {
    const seen: { path: string | undefined; key: unknown }[] = [];
    const anthropic = createServer((request, response) => {
      seen.push({ path: request.url, key: request.headers['x-api-key'] });
      request.resume().on('end', () =>
        response.setHeader('content-type', 'application/json').end(
          JSON.stringify({
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'claude',
            content: [{ type: 'text', text: 'Hi.' }],
            stop_reason: 'end_turn',
            stop_sequence: null,
            usage: { input_tokens: 5, output_tokens: 2 },
          }),
        ),
      );
    });
    await new Promise<void>((resolve) => anthropic.listen(0, '127.0.0.1', resolve));
    const { port } = anthropic.address() as AddressInfo;
    const env = {
      ASTRA_MODEL: 'claude',
      ASTRA_MODEL_PROVIDER: 'anthropic',
      ASTRA_MODEL_BASE_URL: `http://127.0.0.1:${port}/v1`,
      ASTRA_MODEL_API_KEY: 'the-key',
    };
    model = createModel(loadConfig(env))!;
    expect(await generate()).toMatchObject({ text: 'Hi.', usage: { tokens: 7 } });
    expect(seen).toEqual([{ path: '/v1/messages', key: 'the-key' }]);
    anthropic.closeAllConnections();
    await new Promise((resolve) => anthropic.close(resolve));
  });
});

describe('asking', () => {
  test('prompt, system, temperature, token limit and key reach the endpoint; text and usage come back', async () => {
    const answer = await generate({ system: 'Be brief.', temperature: 0.5, maxTokens: 50 });
    expect(answer).toEqual({
      text: 'Hello, world.',
      usage: { usd: '0', tokens: 18, seconds: expect.any(Number) as number },
    });
    expect(server.requests[0]?.headers['authorization']).toBe('Bearer the-key');
    expect(server.requests[0]?.body).toMatchObject({
      model: 'tiny',
      temperature: 0.5,
      max_tokens: 50,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello?' },
      ],
    });
  });

  test('another model can be named', async () => {
    await generate({ model: 'large' });
    expect(server.requests[0]?.body.model).toBe('large');
  });

  test('text streams as it comes', async () => {
    const pieces: string[] = [];
    expect(await generate({ onText: (text) => pieces.push(text) })).toMatchObject({
      text: 'Hello, world.',
      usage: { tokens: 18 },
    });
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe('Hello, world.');
    expect(server.requests[0]?.body.stream).toBe(true);
  });
});

describe('answers with a schema', () => {
  test.each([false, true])('the schema is sent and the object comes back (streaming: %s)', async (streaming) => {
    server.script([{ object: { city: 'Bern', people: 140_000 } }]);
    const answer = await generate({ schema, ...(streaming && { onText: () => undefined }) });
    expect(answer).toMatchObject({ object: { city: 'Bern', people: 140_000 }, usage: { tokens: 18 } });
    expect(server.requests[0]?.body.response_format).toMatchObject({ type: 'json_schema', json_schema: { schema } });
  });

  test.each([
    ['does not follow it', { object: { city: 'Bern', people: -1 } }, /people must be >= 0/],
    ['is no JSON', { text: 'Sure! {' }, /schema/],
  ])('an answer that %s fails, and may be asked for again', async (_, reply, message) => {
    for (const onText of [undefined, () => undefined]) {
      server.script([reply]);
      await expect(generate({ schema, ...(onText && { onText }) })).rejects.toMatchObject({
        code: 'ASTRA_MODEL_FAILED',
        retryable: true,
        message: expect.stringMatching(message) as string,
      });
    }
  });

  test('what is no JSON Schema is refused before anything is asked', async () => {
    await expect(generate({ schema: { type: 'unheard-of' } })).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer: '/schema' }],
    });
    expect(server.requests).toEqual([]);
  });
});

describe('failures', () => {
  test.each([429, 500, 503])('%i may pass, and is not repeated here', async (status) => {
    for (const onText of [undefined, () => undefined]) {
      server.script([{ status, headers: { 'retry-after': '7' } }]);
      await expect(generate(onText && { onText })).rejects.toMatchObject({
        code: 'ASTRA_MODEL_FAILED',
        retryable: true,
        retryAfterSeconds: 7,
      });
    }
    expect(server.requests).toHaveLength(2);
  });

  test.each([400, 401, 403, 404])('%i will not pass', async (status) => {
    server.script([{ status, text: 'Incorrect key the-key' }]);
    const failure = await generate().then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'ASTRA_MODEL_REFUSED', retryable: false });
    if (status === 401 || status === 403) expect(String(failure)).not.toContain('the-key');
  });

  test('an endpoint that is not there may come back', async () => {
    const { url } = server;
    await server.stop();
    model = createModel(loadConfig({ ASTRA_MODEL: 'tiny', ASTRA_MODEL_BASE_URL: url }))!;
    await expect(generate()).rejects.toMatchObject({ code: 'ASTRA_MODEL_FAILED' });
    server = await startOpenAiServer([]);
  });

  test.each([false, true])('a time-out and a cancel end the request (streaming: %s)', async (streaming) => {
    const onText = () => undefined;
    server.script([{ text: 'late', delayMs: 5_000 }]);
    const timedOut = generate({ signal: AbortSignal.timeout(100), ...(streaming && { onText }) });
    await expect(timedOut).rejects.toMatchObject({ code: 'ASTRA_TOOL_TIMEOUT' });
    const abort = new AbortController();
    const cancelled = generate({ signal: abort.signal, ...(streaming && { onText }) });
    await expect.poll(() => server.requests.length).toBe(2);
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'ASTRA_CANCELLED' });
  });
});
