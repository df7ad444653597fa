import { describe, expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { inOrder, json, problem, startScriptedServer } from '../test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, token: 'secret', backOff: { baseMs: 1, capMs: 5 } });

describe('downloading an artifact', () => {
  test('follows the redirect to the object storage without the bearer token', async () => {
    const storage = await startScriptedServer(
      inOrder(problem(503, 'SlowDown', 'busy'), (response) => response.end('bytes')),
    );
    const api = await startScriptedServer(
      () => (response) => response.writeHead(302, { location: `${storage.url}/bucket/key?X-Amz-Signature=s` }).end(),
    );
    const response = await client(api.url).artifacts.download('art_1');
    expect(await response.text()).toBe('bytes');
    expect(api.requests[0]).toMatchObject({
      path: '/v1/artifacts/art_1/content',
      headers: { authorization: 'Bearer secret' },
    });
    expect(storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
  });

  test('lets the runtime follow where the target of a redirect is hidden', async () => {
    const storage = await startScriptedServer(() => (response) => response.end('bytes'));
    const api = await startScriptedServer(() => (response) => response.writeHead(302, { location: storage.url }).end());
    const browserLike: typeof fetch = (input, init) =>
      init?.redirect === 'manual'
        ? Promise.resolve(Object.defineProperty(new Response(null), 'type', { value: 'opaqueredirect' }))
        : fetch(input, init);
    const response = await createAstra({ apiUrl: api.url, token: 'secret', fetch: browserLike }).artifacts.download(
      'art_1',
    );
    expect(await response.text()).toBe('bytes');
    expect(storage.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('takes the bytes where the API sends them itself, and its refusals as they are', async () => {
    const api = await startScriptedServer(
      inOrder((response) => response.end('bytes'), problem(404, 'ASTRA_NOT_FOUND', 'none')),
    );
    const { artifacts } = client(api.url);
    expect(await (await artifacts.download('art_1')).text()).toBe('bytes');
    await expect(artifacts.download('art_2')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });
});

test('approvals, templates and tools are reached by their names, escaped', async () => {
  const api = await startScriptedServer(() => json({ items: [], nextCursor: null }));
  const astra = client(api.url);
  await astra.approvals.list({ status: 'pending' });
  await astra.approvals.decide('apr_x.y', { decision: 'approved' });
  await astra.approvals.delegate('apr_x.y', { to: 'bob' });
  await astra.approvalPolicies.get();
  await astra.approvalPolicies.set([{ tool: '*', decision: 'ask' }]);
  await astra.templates.get('a/b');
  const template = { name: 't', description: '', params: {}, objective: 'o', plan: { tasks: [] } };
  await astra.templates.put({ ...template, updatedAt: '2025-01-01T00:00:00.000Z' });
  await astra.templates.delete('t');
  await astra.tools.get('http.fetch');
  expect(api.requests.map(({ method, path, query }) => `${method} ${path} ${query.toString()}`.trim())).toEqual([
    'GET /v1/approvals status=pending',
    'POST /v1/approvals/apr_x.y/decisions',
    'POST /v1/approvals/apr_x.y/delegations',
    'GET /v1/approval-policies',
    'PUT /v1/approval-policies',
    'GET /v1/templates/a%2Fb',
    'PUT /v1/templates/t',
    'DELETE /v1/templates/t',
    'GET /v1/tools/http.fetch',
  ]);
  expect(api.requests[4]?.body).toEqual({ rules: [{ tool: '*', decision: 'ask' }] });
  // The path has the name, and the server keeps the time.
  expect(api.requests[6]?.body).toEqual({ description: '', params: {}, objective: 'o', plan: { tasks: [] } });
});
