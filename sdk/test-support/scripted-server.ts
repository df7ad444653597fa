import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON, of NDJSON each line; undefined without a body. */
  readonly body: unknown;
}

export type Answer = (response: ServerResponse, request: ScriptedRequest) => unknown;

export interface ScriptedServer {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  close(): Promise<void>;
}

/** A real HTTP server on loopback that answers as the test says, and is closed when the test ends. */
export async function startScriptedServer(script: (request: ScriptedRequest) => Answer): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await text(incoming);
      const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://scripted');
      const { method = 'GET', headers } = incoming;
      const request = {
        method,
        path: pathname,
        query: searchParams,
        headers,
        body: body ? parseBody(body, headers['content-type']) : undefined,
      };
      requests.push(request);
      await script(request)(response, request);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

const parseBody = (body: string, type = ''): unknown =>
  type.includes('ndjson') ? body.split('\n').map((line): unknown => JSON.parse(line)) : JSON.parse(body);

/** The answers in their order; one more request than scripted is answered 418, which no client forgives. */
export function inOrder(...answers: readonly Answer[]): () => Answer {
  let next = 0;
  return () => answers[next++] ?? problem(418, 'ASTRA_INTERNAL', 'the test did not script this request');
}

export const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

export const problem =
  (status: number, code: string, detail: string, more: object = {}, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json', ...headers })
      .end(JSON.stringify({ code, detail, status, title: detail, ...more }));

/** Cuts the connection without an answer. */
export const drop: Answer = (response) => response.destroy();

/** An event stream of these raw pieces, each written when the one before is out; then it ends, breaks or stays open. */
export const eventStream =
  (pieces: readonly string[], end: 'close' | 'break' | 'stay'): Answer =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    if (end === 'close') response.end();
    if (end === 'break') response.destroy();
  };
