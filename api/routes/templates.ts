import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import type { Template } from '../../domain/schemas/template.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { faultsUnder } from '../faults-under.ts';
import { compileParams } from '../../stores/template-params.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { noQuery, pageQuery, templateParams } from '../params.ts';
import { templateDefinitionSchema } from '../schemas.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/templates',
  operationId: 'listTemplates',
  tags: ['templates'],
  summary: 'List templates by name',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of templates', 'TemplateList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/templates/{name}',
  operationId: 'getTemplate',
  tags: ['templates'],
  summary: 'Read a template',
  ...secured('goals:read'),
  request: { params: templateParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The template', 'Template') }, ['ASTRA_NOT_FOUND']),
});

const put = createRoute({
  method: 'put',
  path: '/v1/templates/{name}',
  operationId: 'putTemplate',
  tags: ['templates'],
  summary: 'Create or replace a template',
  description: 'Goals that run keep the plan they were given.',
  ...secured('goals:write'),
  request: { params: templateParams, query: noQuery },
  ...jsonBody('TemplateDefinition'),
  responses: answers({ 200: jsonAnswer('Replaced', 'Template'), 201: jsonAnswer('Created', 'Template') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
    'ASTRA_PLAN_INVALID',
    'ASTRA_TEMPLATE_INVALID',
  ]),
});

const remove = createRoute({
  method: 'delete',
  path: '/v1/templates/{name}',
  operationId: 'deleteTemplate',
  tags: ['templates'],
  summary: 'Delete a template',
  ...secured('goals:write'),
  request: { params: templateParams, query: noQuery },
  responses: answers({ 204: { description: 'Deleted' } }, ['ASTRA_NOT_FOUND']),
});

const notFound = (name: string): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `There is no template "${name}". GET /v1/templates lists them.`);

export function mountTemplates(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'templates' | 'catalogue'>): void {
  const { templates, catalogue } = deps;

  /** @throws ASTRA_PLAN_INVALID, ASTRA_TEMPLATE_INVALID */
  async function requireValid(template: Template): Promise<void> {
    compileParams(template.params);
    const tools = await catalogue();
    await faultsUnder('/plan', async () => validatePlan(template.plan, tools, { source: 'template' }));
    const { fallbackPlan } = template;
    if (!fallbackPlan) return;
    await faultsUnder('/fallbackPlan', async () => validatePlan(fallbackPlan, tools, { source: 'template' }));
  }

  app.openapi(list, async (c) => c.json(await templates.list(c.get('principal').tenant, c.req.valid('query')), 200));

  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const template = await templates.get(c.get('principal').tenant, name);
    if (!template) throw notFound(name);
    return c.json(template, 200);
  });

  app.openapi(put, async (c) => {
    const { name } = c.req.valid('param');
    const definition = await readBody(c, templateDefinitionSchema);
    if (definition.name !== undefined && definition.name !== name) {
      throw new AstraError('ASTRA_BODY_INVALID', `The path names the template "${name}" and the body another.`, {
        faults: [{ pointer: '/name', message: 'is not the name in the path' }],
      });
    }
    const template: Template = { ...definition, name };
    await requireValid(template);
    const outcome = await templates.put(c.get('principal').tenant, template);
    return c.json(template, outcome === 'created' ? 201 : 200);
  });

  app.openapi(remove, async (c) => {
    const { name } = c.req.valid('param');
    if (!(await templates.delete(c.get('principal').tenant, name))) throw notFound(name);
    return c.body(null, 204);
  });
}
