import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface ScriptedHttp {
  readonly url: string;
  /** Paths asked for so far, in order. */
  readonly paths: readonly string[];
  /** `idempotency-key` of the requests that had one. */
  readonly effectIds: readonly string[];
  /** The most requests that were under way at once. */
  readonly mostAtOnce: number;
  stop(): Promise<void>;
}

/**
 * A server for http.fetch, which tells it in the query what to do: `fail=2` cuts the first two requests of a path,
 * `delay=50` waits so many milliseconds, `bytes=9000` answers a text of so many bytes. Else the answer is JSON, the path.
 */
export async function startScriptedHttp(): Promise<ScriptedHttp> {
  const paths: string[] = [];
  const effectIds: string[] = [];
  let underWay = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    underWay += 1;
    mostAtOnce = Math.max(mostAtOnce, underWay);
    response.once('close', () => {
      underWay -= 1;
    });
    void answer(request).then((body) => {
      if (body === null) return response.destroy();
      const type = typeof body === 'string' ? 'text/plain' : 'application/json';
      return response
        .writeHead(200, { 'content-type': type })
        .end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });

  async function answer(request: IncomingMessage): Promise<string | { readonly path: string } | null> {
    const { pathname: path, searchParams } = new URL(request.url ?? '', 'http://scripted');
    const asked = paths.filter((each) => each === path).length;
    paths.push(path);
    const effectId = request.headers['idempotency-key'];
    if (typeof effectId === 'string') effectIds.push(effectId);
    if (asked < Number(searchParams.get('fail'))) return null;
    await delay(Number(searchParams.get('delay')));
    const bytes = Number(searchParams.get('bytes'));
    return bytes > 0 ? 'x'.repeat(bytes) : { path };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    paths,
    effectIds,
    get mostAtOnce() {
      return mostAtOnce;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
