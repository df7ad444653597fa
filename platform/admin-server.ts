import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { checkHealth, type HealthCheck } from './health.ts';

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * /livez, /readyz and /metrics on loopback, for the process's operator.
 * @param options.required ready means: these checks answer; the others are reported only
 */
export async function startAdminServer(options: {
  readonly port: number;
  readonly metrics: Registry;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  readonly required: readonly string[];
}): Promise<AdminServer> {
  const { metrics, checks, required } = options;
  const server = createServer((request, response) => {
    void answer(request.url ?? '', response).catch((error: unknown) => send(response, 500, { error: String(error) }));
  });

  async function answer(url: string, response: ServerResponse): Promise<void> {
    if (url === '/livez') return send(response, 200, { status: 'ok' });
    if (url === '/metrics') {
      response.writeHead(200, { 'content-type': metrics.contentType }).end(await metrics.metrics());
      return;
    }
    if (url !== '/readyz') return send(response, 404, { error: 'try /livez, /readyz or /metrics' });
    const dependencies = await checkHealth(checks);
    const ready = required.every((name) => dependencies[name]?.state === 'up');
    send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', dependencies });
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  // A TCP server's address is always an AddressInfo.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
