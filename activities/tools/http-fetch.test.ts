import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../domain/json.ts';
import { toolContext } from '../../test/support/tool-context.ts';
import { until } from '../../test/support/until.ts';
import { createEgressPolicy, type ResolveAll } from './egress-policy.ts';
import { createHttpFetch } from './http-fetch.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
let seen: Seen[] = [];
let port = 0;
let otherPort = 0;
const servers = [
  createServer((...exchange) => void handle(...exchange)),
  createServer((...exchange) => void handle(...exchange)),
];

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readText(request);
  seen.push({ method: request.method, url: request.url, headers: request.headers, body });
  const url = new URL(request.url ?? '/', 'http://local');
  const route = routes[url.pathname];
  if (route) route(response, url);
  else response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here');
}
const routes: Record<string, (response: ServerResponse, url: URL) => void> = {
  '/json': (response) =>
    response
      .writeHead(200, { 'content-type': 'application/problem+json; charset=utf-8', 'set-cookie': ['a=1', 'b=2'] })
      .end('{"a":[1]}'),
  '/broken-json': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":'),
  '/latin1': (response) =>
    response.writeHead(200, { 'content-type': 'text/plain; charset=latin1' }).end(Buffer.from([0xe9])),
  '/big': (response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('ä'.repeat(1_000_000)),
  '/gzip': (response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(gzipSync('{"zipped":true}')),
  '/no-gzip': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('plain'),
  '/bomb': (response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
  '/redirect': (response, { searchParams }) =>
    response
      .writeHead(Number(searchParams.get('status') ?? 302), { location: searchParams.get('to') ?? '' })
      .end('moved'),
  '/loop': (response) => response.writeHead(302, { location: '/loop' }).end(),
  '/cut': (response) => {
    response.writeHead(200, { 'content-length': '100' }).write('x');
    response.destroy();
  },
  '/slow': () => undefined,
  '/stream': (response, { searchParams }) => {
    const encoding = searchParams.get('encoding');
    response.writeHead(200, encoding === null ? {} : { 'content-encoding': encoding });
    // The beginning of a body that does not end, here in the middle of what is compressed.
    response.write(encoding === null ? 'so far' : gzipSync('x'.repeat(100_000)).subarray(0, 60));
    streams.push(response);
  },
};
const streams: ServerResponse[] = [];

beforeAll(async () => {
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  [port, otherPort] = servers.map((server) => (server.address() as AddressInfo).port) as [number, number];
});
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});
beforeEach(() => {
  seen = [];
});

const tool = createHttpFetch(createEgressPolicy(['127.0.0.1']));
const fetch = (path: string, input: JsonObject = {}) =>
  tool.run({ url: `http://127.0.0.1:${port}${path}`, ...input }, toolContext());

describe('requests', () => {
  test('a GET is plain; other methods carry the effect id as idempotency key', async () => {
    await fetch('/json?q=1');
    await fetch('/json', { method: 'DELETE' });
    await fetch('/json', { method: 'PUT', headers: { 'Idempotency-Key': 'mine' } });
    expect(seen.map(({ method, url, headers }) => [method, url, headers['idempotency-key']])).toEqual([
      ['GET', '/json?q=1', undefined],
      ['DELETE', '/json', 'gol_0000000000000001/task/1'],
      ['PUT', '/json', 'mine'],
    ]);
  });

  test('a JSON body is sent as JSON, text as it is, and makes it a POST', async () => {
    await fetch('/json', { body: { a: 1 } });
    await fetch('/json', { body: 'a=1', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    expect(seen.map(({ method, body, headers }) => [method, body, headers['content-type']])).toEqual([
      ['POST', '{"a":1}', 'application/json'],
      ['POST', 'a=1', 'application/x-www-form-urlencoded'],
    ]);
  });

  test.each([
    [{ url: 'not a url' }, '/url'],
    [{ method: 'get' }, '/method'],
    [{ headers: { Host: 'other' } }, '/headers/Host'],
    [{ headers: { 'Content-Length': '5' } }, '/headers/Content-Length'],
    [{ headers: { 'x-a': 'b\r\nx-c: d' } }, '/headers/x-a'],
    [{ maxBytes: 17_000_000 }, '/maxBytes'],
    [{ timeout: 5 }, '/timeout'],
  ])('%j is refused', async (input, pointer) => {
    await expect(fetch('/json', input)).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer }],
    });
    expect(seen).toEqual([]);
  });
});

describe('answers', () => {
  test('status, headers and a JSON body', async () => {
    expect(await fetch('/json')).toMatchObject({
      status: 200,
      body: { a: [1] },
      truncated: false,
      headers: { 'set-cookie': 'a=1, b=2' },
    });
  });

  test('an error status is an answer', async () => {
    expect(await fetch('/absent')).toMatchObject({ status: 404, body: 'nothing here' });
  });

  test('what is no JSON after all is text; a charset is heeded; compression is undone', async () => {
    expect(await fetch('/broken-json')).toMatchObject({ body: '{"a":' });
    expect(await fetch('/latin1')).toMatchObject({ body: 'é' });
    expect(await fetch('/gzip')).toMatchObject({ body: { zipped: true } });
    expect(await fetch('/gzip', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    await expect(fetch('/no-gzip')).rejects.toMatchObject({ code: 'ASTRA_TOOL_FAILED' });
  });

  test('a long body is cut at maxBytes, never within a character', async () => {
    expect(await fetch('/big', { maxBytes: 5 })).toMatchObject({ body: 'ää', truncated: true });
    const byDefault = (await fetch('/big')) as { body: string; truncated: boolean };
    expect([byDefault.body.length, byDefault.truncated]).toEqual([524_288, true]);
  });

  test('a small body that unpacks to a large one is cut as well', async () => {
    expect(await fetch('/bomb', { maxBytes: 1_000 })).toMatchObject({ truncated: true });
  });
});

describe('redirects', () => {
  const to = (target: string, status = 302) => `/redirect?status=${status}&to=${encodeURIComponent(target)}`;

  test('are followed; 303 and a POST’s 302 go on as GET, 307 and 308 repeat the request', async () => {
    for (const status of [303, 302, 307, 308]) await fetch(to('/json', status), { body: { a: 1 } });
    const targets = seen.filter(({ url }) => url === '/json');
    expect(targets.map(({ method, body }) => [method, body])).toEqual([
      ['GET', ''],
      ['GET', ''],
      ['POST', '{"a":1}'],
      ['POST', '{"a":1}'],
    ]);
    expect(targets.map(({ headers }) => headers['idempotency-key'] !== undefined)).toEqual([false, false, true, true]);
  });

  test('to another origin lose what authorises', async () => {
    const headers = { Authorization: 'Bearer x', Cookie: 'a=1', 'X-Other': 'kept' };
    await fetch(to('/json'), { headers });
    await fetch(to(`http://127.0.0.1:${otherPort}/json`), { headers });
    const [same, other] = seen.filter(({ url }) => url === '/json');
    expect(same?.headers).toMatchObject({ authorization: 'Bearer x', cookie: 'a=1', 'x-other': 'kept' });
    expect(other?.headers).toMatchObject({ 'x-other': 'kept' });
    expect(other?.headers).not.toHaveProperty('authorization');
    expect(other?.headers).not.toHaveProperty('cookie');
  });

  test('end after five', async () => {
    await expect(fetch('/loop')).rejects.toMatchObject({ code: 'ASTRA_TOOL_FAILED' });
    expect(seen).toHaveLength(6);
  });

  test.each([
    'http://127.0.0.2/',
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'file:///etc/passwd',
    'http://u:p@127.0.0.1/',
  ])('to %s are refused', async (target) => {
    await expect(fetch(to(target))).rejects.toMatchObject({ code: 'ASTRA_EGRESS_DENIED' });
    expect(seen).toHaveLength(1);
  });
});

describe('egress', () => {
  const url = () => `http://name.example:${port}/json`;
  const resolvingTo =
    (...answers: string[]): ResolveAll =>
    (_, done) => {
      const address = (answers.length > 1 ? answers.shift() : answers[0]) ?? '';
      setImmediate(() => done(null, [{ address, family: 4 }]));
    };

  test('loopback is refused unless allowed, before anything is sent', async () => {
    const closed = createHttpFetch(createEgressPolicy([]));
    await expect(closed.run({ url: `http://127.0.0.1:${port}/json` }, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_EGRESS_DENIED',
    });
    await expect(closed.run({ url: `http://localhost:${port}/json` }, toolContext())).rejects.toMatchObject({
      code: 'ASTRA_EGRESS_DENIED',
    });
    expect(seen).toEqual([]);
  });

  test('a name is resolved once, and the very address that was checked is connected to', async () => {
    // Rebinding: the first answer is fine, every later one is the address that must not be reached.
    let lookups = 0;
    const answers = resolvingTo('127.0.0.1', '127.0.0.2');
    const policy = createEgressPolicy(['127.0.0.1'], {
      resolve: (name, done) => {
        lookups += 1;
        answers(name, done);
      },
    });
    expect(await createHttpFetch(policy).run({ url: url() }, toolContext())).toMatchObject({ status: 200 });
    expect(lookups).toBe(1);
    const rebound = createHttpFetch(createEgressPolicy(['127.0.0.1'], { resolve: resolvingTo('127.0.0.2') }));
    await expect(rebound.run({ url: url() }, toolContext())).rejects.toMatchObject({ code: 'ASTRA_EGRESS_DENIED' });
  });
});

describe('failures', () => {
  test('no connection and a broken one may be tried again, and the message keeps the query to itself', async () => {
    for (const target of ['http://127.0.0.1:1/path?token=secret', `http://127.0.0.1:${port}/cut`]) {
      const failure = await tool.run({ url: target }, toolContext()).then(
        () => null,
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: 'ASTRA_TOOL_FAILED', retryable: true });
      expect(String(failure)).not.toContain('secret');
    }
  });

  test('the context’s time-out ends it, even while the server says nothing', async () => {
    const slow = tool.run({ url: `http://127.0.0.1:${port}/slow` }, toolContext({ signal: AbortSignal.timeout(100) }));
    await expect(slow).rejects.toMatchObject({ code: 'ASTRA_TOOL_TIMEOUT' });
  });
});

test.each(['/stream', '/stream?encoding=gzip'])(
  'a cancel closes the connection in the middle of a body: %s',
  async (path) => {
    const before = streams.length;
    const stop = new AbortController();
    const fetching = tool.run({ url: `http://127.0.0.1:${port}${path}` }, toolContext({ signal: stop.signal }));
    await until(() => streams.length > before, 'the body has begun');
    const closed = new Promise<void>((resolve) => {
      streams.at(-1)?.once('close', resolve);
    });
    stop.abort();
    await expect(fetching).rejects.toMatchObject({ code: 'ASTRA_CANCELLED' });
    await closed;
  },
);
