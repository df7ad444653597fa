import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { isGoalScope } from '../../domain/budget-scopes.ts';
import { AstraError } from '../../domain/errors.ts';
import { budgetDefinitionSchema, budgetScopeSchema, type Budget } from '../../domain/schemas/budget.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { noQuery } from '../params.ts';

const budgetParams = z.object({ scope: budgetScopeSchema });
/** Told at once that a budget was set; goals beyond these find out by themselves, a little later. */
const mostTold = 200;

const get = createRoute({
  method: 'get',
  path: '/v1/budgets/{scope}',
  operationId: 'getBudget',
  tags: ['budgets'],
  summary: 'Read a budget: its limits, what is reserved and what is spent',
  description:
    '`tenant`, `agent:<id>`, or `goal:<goal id>` of a goal that was submitted with one. A unit that is not there has no limit.',
  ...secured('goals:read'),
  request: { params: budgetParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The budget', 'Budget') }, ['ASTRA_NOT_FOUND']),
});

const put = createRoute({
  method: 'put',
  path: '/v1/budgets/{scope}',
  operationId: 'putBudget',
  tags: ['budgets'],
  summary: 'Set the budget of the tenant or of an agent',
  description:
    'In force within about a second. What is spent stays; a unit that is left out has no limit any more and is not counted. Tasks that are ' +
    'parked for the budget are tried again. A goal’s own budget is raised by approving its question.',
  ...secured('admin'),
  request: { params: budgetParams, query: noQuery },
  ...jsonBody('BudgetDefinition'),
  responses: answers({ 200: jsonAnswer('The budget', 'Budget') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

export function mountBudgets(
  app: OpenAPIHono<ApiEnv>,
  { budgets, ledger, engine }: Pick<ApiDeps, 'budgets' | 'ledger' | 'engine'>,
): void {
  app.openapi(get, async (c) => {
    const { scope } = c.req.valid('param');
    const budget = await budgets.get(c.get('principal').tenant, scope);
    if (isGoalScope(scope) && isUnlimited(budget)) {
      throw new AstraError('ASTRA_NOT_FOUND', `There is no ${scope} with a budget of its own.`);
    }
    return c.json(budget, 200);
  });

  app.openapi(put, async (c) => {
    const { scope } = c.req.valid('param');
    if (isGoalScope(scope)) {
      throw new AstraError('ASTRA_PARAMETER_INVALID', 'A goal’s budget is set when it is submitted.', {
        faults: [{ pointer: '/scope', message: 'must be `tenant` or `agent:<id>`' }],
      });
    }
    const { tenant } = c.get('principal');
    const { limit } = await readBody(c, budgetDefinitionSchema);
    await budgets.put(tenant, scope, limit);
    // Parked tasks look again by themselves: nothing is lost with what fails from here on.
    await tell(await ledger.takeWaiting(tenant, scope).catch(() => []));
    return c.json(await budgets.get(tenant, scope), 200);
  });

  async function tell(goals: readonly GoalId[]): Promise<void> {
    await Promise.allSettled(
      goals.slice(0, mostTold).map((goalId) => engine.unparkTasks(goalId, { reason: 'budget' })),
    );
  }
}

const isUnlimited = ({ limit }: Budget): boolean => Object.keys(limit).length === 0;
