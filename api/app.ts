import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import type { ZodError } from 'zod';
import { AstraError } from '../domain/errors.ts';
import { limits } from '../domain/limits.ts';
import type { ApiEnv } from './context.ts';
import type { ApiDeps } from './deps.ts';
import { parameterFaults } from './parameter-faults.ts';
import { authenticate } from './middleware/authenticate.ts';
import { observe } from './middleware/observe.ts';
import { rateLimit } from './middleware/rate-limit.ts';
import { mountOpenApi } from './openapi/document.ts';
import { toProblemResponse } from './problem.ts';
import { mountApprovals } from './routes/approvals.ts';
import { mountArtifacts } from './routes/artifacts.ts';
import { mountGoalCommands } from './routes/goal-commands.ts';
import { mountGoalEvents } from './routes/goal-events.ts';
import { mountGoalViews } from './routes/goal-views.ts';
import { mountGoals } from './routes/goals.ts';
import { mountHealth } from './routes/health.ts';
import { mountMe } from './routes/me.ts';
import { mountTemplates } from './routes/templates.ts';
import { mountTools } from './routes/tools.ts';

/** The whole HTTP API. It holds no state of its own: any number of them may run side by side. */
export function createApp(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { config, logger } = deps;
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseParameters });

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
  app.use(observe(deps.metrics));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));
  app.use('/v1/*', authenticate(deps.verifyToken));
  app.use('/v1/*', rateLimit({ redis: deps.redis, perSecond: config.ASTRA_RATE_LIMIT_PER_SECOND }));
  app.use('/v1/*', bodyLimit({ maxSize: limits.goalBodyBytes, onError: refuseBody }));

  mountGoals(app, deps);
  mountGoalViews(app, deps);
  mountGoalEvents(app, deps);
  mountGoalCommands(app, deps);
  mountApprovals(app, deps);
  mountTemplates(app, deps);
  mountTools(app, deps);
  mountArtifacts(app, deps);
  mountMe(app);
  mountHealth(app, deps);
  mountOpenApi(app, config);
  return app;
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

function refuseBody(): never {
  throw new AstraError(
    'ASTRA_BODY_TOO_LARGE',
    `A body has at most ${limits.goalBodyBytes} bytes. Give larger inputs as artifacts or by URL.`,
  );
}
