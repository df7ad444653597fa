import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';

export interface ReceivedMessage {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered with. */
  readonly status: number;
}

export interface Receiver {
  readonly url: string;
  readonly messages: readonly ReceivedMessage[];
  /** Says how a message is answered: a status, or null for no answer. 204 unless it is given. */
  answerWith(answer: (path: string, attempt: number) => number | null): void;
  stop(): Promise<void>;
}

/** A receiver of webhooks on loopback. Attempts are counted by path and `webhook-id`. */
export async function startReceiver(): Promise<Receiver> {
  const messages: ReceivedMessage[] = [];
  const attempts = new Map<string, number>();
  let answer: (path: string, attempt: number) => number | null = () => 204;
  const server = createServer((request, response) => {
    void readText(request).then((body) => {
      const path = request.url ?? '/';
      const key = `${path} ${String(request.headers['webhook-id'])}`;
      attempts.set(key, (attempts.get(key) ?? 0) + 1);
      const status = answer(path, attempts.get(key) ?? 0);
      messages.push({ path, headers: request.headers, body, status: status ?? 0 });
      if (status !== null) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    messages,
    answerWith(given) {
      answer = given;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
