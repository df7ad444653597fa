import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../domain/json.ts';

/** What the server answers to one request; the last one of a script is repeated. */
export interface ScriptedReply {
  readonly text?: string;
  /** Sent as the JSON text that a model with structured output writes. */
  readonly object?: Json;
  /** Anything but 200 is an error of the endpoint. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Before the first byte. */
  readonly delayMs?: number;
}
export interface RecordedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: ChatRequest;
}
interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema: Json } };
  readonly temperature?: number;
  readonly max_tokens?: number;
}
export interface OpenAiServer {
  /** Base URL, as ASTRA_MODEL_BASE_URL takes it. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Replaces what is left of the script. */
  script(replies: readonly ScriptedReply[]): void;
  stop(): Promise<void>;
}

const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };

/** An OpenAI-compatible endpoint (chat completions, streaming, JSON Schema answers) that says what it is told to. */
export async function startOpenAiServer(replies: readonly ScriptedReply[]): Promise<OpenAiServer> {
  const requests: RecordedRequest[] = [];
  let left = [...replies];
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await readText(request)) as ChatRequest;
    requests.push({ path: request.url ?? '', headers: request.headers, body });
    const reply = (left.length > 1 ? left.shift() : left[0]) ?? { status: 500 };
    if (reply.delayMs !== undefined) await delay(reply.delayMs);
    if (reply.status !== undefined && reply.status !== 200) return sendError(response, reply);
    const content = reply.object === undefined ? (reply.text ?? '') : JSON.stringify(reply.object);
    if (body.stream) return sendStream(response, body.model, content);
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    sendJson(response, 200, { ...envelope(body.model, 'chat.completion'), choices, usage });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    script(next) {
      left = [...next];
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())));
    },
  };
}

const envelope = (model: string, object: string) => ({ id: 'chatcmpl-1', object, created: 1_700_000_000, model });

function sendError(response: ServerResponse, { status = 500, text, headers }: ScriptedReply): void {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  sendJson(response, status, {
    error: { message: text ?? 'scripted failure', type: 'error', code: null, param: null },
  });
}

function sendJson(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** In pieces of a few characters, then the usage, as `stream_options.include_usage` asks for. */
function sendStream(response: ServerResponse, model: string, content: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (rest: Record<string, Json>): void => {
    response.write(`data: ${JSON.stringify({ ...envelope(model, 'chat.completion.chunk'), ...rest })}\n\n`);
  };
  for (const piece of content.match(/[^]{1,8}/gu) ?? []) {
    send({ choices: [{ index: 0, delta: { role: 'assistant', content: piece }, finish_reason: null }] });
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  send({ choices: [], usage });
  response.end('data: [DONE]\n\n');
}
