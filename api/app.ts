import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import type { ZodError } from 'zod';
import { AstraError } from '../domain/errors.ts';
import type { ApiEnv } from './context.ts';
import type { ApiDeps } from './deps.ts';
import { createHotReads, type HotReadsDeps, type HotRequest } from './hot-reads.ts';
import { parameterFaults } from './parameter-faults.ts';
import { authenticate } from './middleware/authenticate.ts';
import { limitBody } from './middleware/limit-body.ts';
import { observe } from './middleware/observe.ts';
import { rateLimit } from './middleware/rate-limit.ts';
import { mountOpenApi } from './openapi/document.ts';
import { toProblemResponse } from './problem.ts';
import { createReadQuota } from './read-quota.ts';
import { createRequestCounter } from './request-counter.ts';
import { createWriteQuota, type WriteQuota } from './write-quota.ts';
import { mountApprovalPolicies } from './routes/approval-policies.ts';
import { mountApprovals } from './routes/approvals.ts';
import { mountArchive } from './routes/archive.ts';
import { mountArtifacts } from './routes/artifacts.ts';
import { mountGoalBatches } from './routes/goal-batches.ts';
import { mountDeletions } from './routes/deletions.ts';
import { mountBudgets } from './routes/budgets.ts';
import { mountGoalCommands } from './routes/goal-commands.ts';
import { mountGoalFork } from './routes/goal-fork.ts';
import { mountGoalPlan } from './routes/goal-plan.ts';
import { mountGoalEvents } from './routes/goal-events.ts';
import { mountGoalPause } from './routes/goal-pause.ts';
import { mountGoalViews } from './routes/goal-views.ts';
import { mountGoals } from './routes/goals.ts';
import { mountHealth } from './routes/health.ts';
import { mountLimits } from './routes/limits.ts';
import { mountMe } from './routes/me.ts';
import { mountScheduleCommands } from './routes/schedule-commands.ts';
import { mountSchedules } from './routes/schedules.ts';
import { mountRetention } from './routes/retention.ts';
import { mountTasks } from './routes/tasks.ts';
import { mountTemplates } from './routes/templates.ts';
import { mountTokens } from './routes/tokens.ts';
import { mountTools } from './routes/tools.ts';
import { mountHooks } from './routes/hooks.ts';
import { mountInboundWebhooks } from './routes/inbound-webhooks.ts';
import { mountWebhookDeliveries } from './routes/webhook-deliveries.ts';
import { mountWebhooks } from './routes/webhooks.ts';

export interface App {
  /** @param env what Node's HTTP server was asked; without it no read is a hot one */
  fetch(request: Request, env?: { readonly incoming?: HotRequest }): Response | Promise<Response>;
}

/** The whole HTTP API. It holds no state that others need: any number of them may run side by side. */
export function createApp(deps: ApiDeps): App {
  const quota = createReadQuota(deps.config.ASTRA_RATE_LIMIT_PER_SECOND);
  const requests = createRequestCounter(deps.metrics);
  const readHot = createHotReads({ ...deps, quota, requests });
  const routes = createRoutes(deps, { quota, requests });
  return {
    fetch(request, env) {
      const routed = () => routes.fetch(request, env);
      return env?.incoming ? readHot(env.incoming, routed) : routed();
    },
  };
}

function createRoutes(deps: ApiDeps, { quota, requests }: Pick<HotReadsDeps, 'quota' | 'requests'>) {
  const { config, logger } = deps;
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseParameters });
  const perSecond = config.ASTRA_RATE_LIMIT_PER_SECOND;
  const writes = createWriteQuota(deps.redis, perSecond);

  app.onError((error, c) => {
    const response = toProblemResponse(error, c.get('requestId'));
    if (response.status >= 500) {
      const request = {
        method: c.req.method,
        path: c.req.path,
        requestId: c.get('requestId'),
        status: response.status,
      };
      logger.error({ err: error, ...request }, 'a request failed');
    }
    return response;
  });
  app.notFound((c) => {
    const error = new AstraError(
      'ASTRA_NOT_FOUND',
      `There is nothing at ${c.req.path}. /openapi.json lists what there is.`,
    );
    return toProblemResponse(error, c.get('requestId'));
  });

  app.use(requestId());
  app.use(observe(requests));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));
  app.use('/v1/*', authenticate(deps.tokens));
  app.use('/v1/*', rateLimit({ reads: quota, writes, perSecond }));
  app.use('/v1/*', limitBody());
  app.use('/hooks/*', limitBody());

  mountGoalRoutes(app, deps);
  mountTenantRoutes(app, { ...deps, writes });
  mountMe(app);
  mountHealth(app, deps);
  mountOpenApi(app, config);
  return app;
}

function mountTenantRoutes(app: OpenAPIHono<ApiEnv>, deps: ApiDeps & { readonly writes: WriteQuota }): void {
  mountSchedules(app, deps);
  mountScheduleCommands(app, deps);
  mountApprovals(app, deps);
  mountApprovalPolicies(app, deps);
  mountBudgets(app, deps);
  mountTasks(app, deps);
  mountTemplates(app, deps);
  mountLimits(app, deps);
  mountTools(app, deps);
  mountArtifacts(app, deps);
  mountWebhooks(app, deps);
  mountWebhookDeliveries(app, deps);
  mountInboundWebhooks(app, deps);
  mountHooks(app, deps);
  mountRetention(app, deps);
  mountDeletions(app, deps);
  mountArchive(app, deps);
  mountTokens(app, deps);
}

function refuseParameters(result: { readonly success: boolean; readonly error?: ZodError }): undefined {
  if (!result.error) return;
  throw new AstraError('ASTRA_PARAMETER_INVALID', 'A path or query parameter, or a header, is not valid.', {
    faults: parameterFaults(result.error),
  });
}

function refuseMethod(c: Context<ApiEnv>, allowed: string[]): Response {
  const allow = allowed.join(', ');
  const error = new AstraError('ASTRA_METHOD_NOT_ALLOWED', `${c.req.path} takes ${allow}.`);
  const response = toProblemResponse(error, c.get('requestId'));
  response.headers.set('allow', allow);
  return response;
}

function mountGoalRoutes(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  mountGoals(app, deps);
  mountGoalViews(app, deps);
  mountGoalEvents(app, deps);
  mountGoalCommands(app, deps);
  mountGoalPlan(app, deps);
  mountGoalFork(app, deps);
  mountGoalBatches(app, deps);
  mountGoalPause(app, deps);
}
