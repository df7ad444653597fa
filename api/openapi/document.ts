import type { OpenAPIHono } from '@hono/zod-openapi';
import { Scalar } from '@scalar/hono-api-reference';
import type { Config } from '../../platform/config.ts';
import type { ApiEnv } from '../context.ts';
import { createComponentSchemas } from './components.ts';

const description =
  'Runs goals for software agents durably. Every call under `/v1` needs a token (`Authorization: Bearer <JWT>`), whose `tenant` claim says ' +
  'whose goals it sees and whose `scope` claim what it may do. Errors are problem details (RFC 9457) with a stable `code`; `retryable` says ' +
  'whether the same request may succeed later. Unknown fields and parameters are errors. Times are RFC 3339 in UTC.';

/** /openapi.json and /docs, from the routes that are mounted. */
export function mountOpenApi(app: OpenAPIHono<ApiEnv>, config: Pick<Config, 'ASTRA_PUBLIC_URL'>): void {
  for (const [name, schema] of Object.entries(createComponentSchemas())) {
    app.openAPIRegistry.registerComponent('schemas', name, schema);
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  });

  let document: string | undefined;
  app.get('/openapi.json', (c) => {
    document ??= JSON.stringify(
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'Astra', version: '1', description, license: { name: 'Apache-2.0' } },
        servers: [{ url: config.ASTRA_PUBLIC_URL }],
      }),
    );
    return c.body(document, 200, { 'content-type': 'application/json' });
  });
  // The page's script comes from a CDN: the package has no copy of it. The document itself needs no network.
  app.get('/docs', Scalar({ url: '/openapi.json', pageTitle: 'Astra API' }));
}
