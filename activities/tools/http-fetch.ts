import { TextDecoder } from 'node:util';
import { Agent, type Dispatcher } from 'undici';
import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { Json } from '../../domain/json.ts';
import { acceptedEncodings, decompress } from './decompress.ts';
import { defineTool, type Tool, type ToolContext } from './define-tool.ts';
import type { EgressPolicy } from './egress-policy.ts';
import { readCapped } from './read-capped.ts';
import { requestFailure } from './request-failure.ts';

const defaultMaxBytes = 1024 * 1024;
const mostRedirects = 5;
const connectTimeoutMs = 10_000;
/** What frames the message, and the host that the egress check was made for, are not the caller's to set. */
const reservedHeaders =
  /^(host|connection|content-length|transfer-encoding|upgrade|keep-alive|te|trailer|expect|proxy-.*)$/i;
const crossOriginSecrets = new Set(['authorization', 'cookie']);

const headersSchema = z.record(
  z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no header name')
    .refine((name) => !reservedHeaders.test(name), 'is set by http.fetch itself'),
  z
    .string()
    .max(16_384)
    .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be a header value on one line'),
);
const inputSchema = z.strictObject({
  url: z.string().max(8_192).refine(URL.canParse, 'must be an absolute URL'),
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).optional(),
  headers: headersSchema.optional(),
  body: z.unknown().optional().describe('text is sent as it is, any other JSON value as application/json'),
  maxBytes: z.int().min(1).max(limits.resolvedOutputBytes).optional().describe('of the body, 1 MiB unless given'),
});
const outputSchema = z.strictObject({
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.unknown().describe('JSON when the media type says so, else text'),
  truncated: z.boolean(),
});

interface Request {
  readonly url: URL;
  readonly method: Dispatcher.HttpMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** `http.fetch`. Answers with 4xx and 5xx are outputs; only a request without an answer fails. */
export function createHttpFetch(egress: EgressPolicy): Tool {
  const dispatcher = new Agent({
    connect: { lookup: egress.lookup, timeout: connectTimeoutMs },
    // The tool's own time-out, on the context's signal, covers the whole exchange.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return defineTool({
    name: 'http.fetch',
    description:
      'Makes an HTTP request and answers with status, headers and body. The body is JSON when the response says so, else text.',
    input: inputSchema,
    output: outputSchema,
    effect: 'idempotent',
    risk: 'low',
    async run(input, context) {
      const response = await followRedirects(firstRequest(input, context), {
        dispatcher,
        egress,
        signal: context.signal,
      });
      const headers = flatten(response.headers);
      const hasBody = response.statusCode !== 204 && response.statusCode !== 304 && input.method !== 'HEAD';
      const body = decompress(response.body, hasBody ? headers['content-encoding'] : undefined);
      const { bytes, truncated } = await readCapped(body, input.maxBytes ?? defaultMaxBytes);
      return {
        status: response.statusCode,
        headers,
        body: decodeBody(bytes, headers['content-type'], truncated),
        truncated,
      };
    },
  });
}

function firstRequest(input: z.infer<typeof inputSchema>, context: ToolContext): Request {
  const { body } = input;
  const method = input.method ?? (body === undefined ? 'GET' : 'POST');
  const given = Object.entries(input.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const headers: Record<string, string> = { 'user-agent': 'astra', 'accept-encoding': acceptedEncodings };
  if (body !== undefined)
    headers['content-type'] = typeof body === 'string' ? 'text/plain;charset=utf-8' : 'application/json';
  // Stable over attempts, so that a server which honours it does the thing once.
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') headers['idempotency-key'] = context.effectId;
  return {
    url: new URL(input.url),
    method,
    headers: { ...headers, ...Object.fromEntries(given) },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  };
}

interface Exchange {
  readonly dispatcher: Dispatcher;
  readonly egress: EgressPolicy;
  readonly signal: AbortSignal;
}

/** By hand, so that each hop passes the egress policy and secrets stay with the origin they were meant for. */
async function followRedirects(first: Request, exchange: Exchange): Promise<Dispatcher.ResponseData> {
  let request = first;
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(request, exchange);
    const location = locationOf(response);
    if (location === undefined) return response;
    response.body.destroy();
    if (redirects === mostRedirects) {
      throw new AstraError(
        'ASTRA_TOOL_FAILED',
        `http.fetch failed: more than ${mostRedirects} redirects from ${shown(first.url)}`,
      );
    }
    if (!URL.canParse(location, request.url.href)) {
      throw new AstraError('ASTRA_TOOL_FAILED', `http.fetch failed: ${shown(request.url)} redirects to what is no URL`);
    }
    request = redirected(request, new URL(location, request.url), response.statusCode);
  }
}

async function send(
  { url, method, headers, body }: Request,
  { dispatcher, egress, signal }: Exchange,
): Promise<Dispatcher.ResponseData> {
  egress.checkUrl(url);
  try {
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method,
      headers,
      body: body ?? null,
      signal,
    });
    // Leaving a body unread destroys it, which it reports as an error; unheard, that would end the process.
    response.body.on('error', () => undefined);
    return response;
  } catch (error) {
    const reason = requestFailure(error);
    if (reason instanceof AstraError) throw reason;
    throw new AstraError('ASTRA_TOOL_FAILED', `http.fetch failed: ${method} ${shown(url)}: ${reason}`, {
      cause: error,
    });
  }
}

function locationOf({ statusCode, headers }: Dispatcher.ResponseData): string | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  const { location } = headers;
  return Array.isArray(location) ? location[0] : location;
}

/** As browsers do (Fetch standard, HTTP-redirect fetch): 303, and 301 and 302 after a POST, go on as GET. */
function redirected(request: Request, url: URL, status: number): Request {
  const asGet = status === 303 ? request.method !== 'HEAD' : status < 303 && request.method === 'POST';
  const kept = Object.entries(request.headers).filter(([name]) => {
    if (asGet && (name.startsWith('content-') || name === 'idempotency-key')) return false;
    return url.origin === request.url.origin || !crossOriginSecrets.has(name);
  });
  const headers = Object.fromEntries(kept);
  return asGet ? { url, method: 'GET', headers, body: undefined } : { ...request, url, headers };
}

function decodeBody(bytes: Uint8Array, contentType: string | undefined, truncated: boolean): Json {
  const [mediaType = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length);
  const text = decoderFor(charset?.replaceAll('"', '')).decode(bytes, { stream: truncated });
  if (truncated || !(mediaType === 'application/json' || mediaType.endsWith('+json'))) return text;
  try {
    // JSON.parse yields JSON and nothing else.
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function decoderFor(charset: string | undefined): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}

function flatten(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return Object.fromEntries(pairs);
}

/** Query and fragment may hold secrets. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`;
