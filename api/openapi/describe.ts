import type { createRoute } from '@hono/zod-openapi';
import { errorRegistry, type ErrorCode } from '../../domain/errors.ts';
import type { Scope } from '../context.ts';
import { requireScope } from '../middleware/require-scope.ts';
import type { SchemaName } from '../schemas.ts';
import { refTo } from './components.ts';

type RouteConfig = Parameters<typeof createRoute>[0];
type Responses = RouteConfig['responses'];
type Answer = Responses[string];

/** A JSON answer. */
export const jsonAnswer = (description: string, schema: SchemaName): Answer => ({
  description,
  content: { 'application/json': { schema: refTo(schema) } },
});

/** Documents the body. The handler reads and checks it, so that faults carry pointers and large plans are parsed once. */
export const jsonBody = (schema: SchemaName, options: { readonly required?: boolean } = {}) => ({
  requestBody: { required: options.required ?? true, content: { 'application/json': { schema: refTo(schema) } } },
});

/** For a call that takes none and does what it does by being made. */
export const noBody = { requestBody: { required: false, content: {} } };

/** What any call under /v1 may be refused with. */
const commonCodes = [
  'ASTRA_PARAMETER_INVALID',
  'ASTRA_UNAUTHENTICATED',
  'ASTRA_FORBIDDEN',
  'ASTRA_RATE_LIMITED',
  'ASTRA_INTERNAL',
  'ASTRA_UNAVAILABLE',
] as const satisfies readonly ErrorCode[];

/** The answers of a call under /v1: its own, and a problem for each of `codes` and for those every call may meet. */
export const answers = (own: Responses, codes: readonly ErrorCode[] = []): Responses => ({
  ...problems([...codes, ...commonCodes]),
  ...own,
});

/** A problem for each of the codes, by status. */
export function problems(codes: readonly ErrorCode[]): Responses {
  const byStatus = Object.groupBy(codes, (code) => errorRegistry[code].status);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, group = []]): [string, Answer] => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${errorRegistry[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: refTo('Problem') } },
      },
    ]),
  );
}

/** A call that needs a token with the scope. */
export const secured = (scope: Scope) => ({ security: [{ bearer: [scope] }], middleware: requireScope(scope) });
