import { delimiter } from 'node:path';
import { inspect } from 'node:util';
import { z } from 'zod';
import { AstraError, type Fault } from '../domain/errors.ts';
import { workerClassSchema, type WorkerClass } from '../domain/schemas/tool.ts';

/** A value that prints as `[redacted]` wherever it is logged or serialised; `reveal()` gives it. */
export interface Secret {
  reveal(): string;
}

const redacted = '[redacted]';
const secret = (value: string): Secret =>
  Object.freeze({
    reveal: () => value,
    toString: () => redacted,
    toJSON: () => redacted,
    [inspect.custom]: () => redacted,
  });

const list = (separator: string) => (text: string) =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
const port = z.coerce.number().int().min(0).max(65_535);
const workerClasses = z
  .string()
  .transform((text) => new Set(list(',')(text)))
  .pipe(z.set(z.union([z.literal('kernel'), workerClassSchema])))
  .transform((set): ReadonlySet<'kernel' | WorkerClass> => set);

/** docs/reference/configuration.md is generated from the descriptions here. */
const environmentSchema = z.object({
  TEMPORAL_ADDRESS: z.string().default('127.0.0.1:7233').describe('host:port of the Temporal frontend'),
  TEMPORAL_NAMESPACE: z.string().default('default').describe('Temporal namespace of the goals'),
  DATABASE_URL: z
    .string()
    .default('postgres://127.0.0.1:5432/astra')
    .transform(secret)
    .describe('Postgres: events and views'),
  REDIS_URL: z
    .string()
    .default('redis://127.0.0.1:6379')
    .transform(secret)
    .describe('Redis: views, live lane, rate limits'),
  MEMCACHED_SERVERS: z
    .string()
    .default('')
    .transform(list(','))
    .describe('Memcached servers (host:port, comma-separated) for tool answers; empty: Redis keeps them'),
  AWS_ENDPOINT_URL_S3: z.string().optional().describe('S3 endpoint of the artifacts; unset: AWS'),
  AWS_REGION: z.string().default('us-east-1').describe('S3 region'),
  AWS_ACCESS_KEY_ID: z.string().optional().describe('S3 access key; unset: the AWS default chain'),
  AWS_SECRET_ACCESS_KEY: z.string().transform(secret).optional().describe('S3 secret key'),
  ASTRA_S3_BUCKET: z.string().default('astra').describe('bucket of the artifacts'),
  ASTRA_API_HOST: z.string().default('127.0.0.1').describe('address the API listens on'),
  ASTRA_API_PORT: port.default(8700).describe('port the API listens on'),
  ASTRA_ADMIN_PORT: port.default(0).describe('port of /livez, /readyz and /metrics (loopback); 0: any free one'),
  ASTRA_PUBLIC_URL: z.string().default('http://127.0.0.1:8700').describe('URL of the API as clients see it, for links'),
  ASTRA_TEMPORAL_UI_URL: z.string().default('http://127.0.0.1:8233').describe('URL of the Temporal Web UI, for links'),
  ASTRA_JWKS_URL: z.url().optional().describe('JWKS URL of the token issuer'),
  ASTRA_JWKS_FILE: z.string().optional().describe('JWKS file, instead of a URL'),
  ASTRA_JWT_ISSUER: z.string().default('astra-local').describe('`iss` that tokens must have'),
  ASTRA_JWT_AUDIENCE: z.string().default('astra').describe('`aud` that tokens must have'),
  ASTRA_SECRETS_KEY: z
    .base64()
    .refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes in base64')
    .transform(secret)
    .optional()
    .describe('32 bytes in base64, under which secrets of webhooks are kept; unset: there are no webhooks'),
  ASTRA_WEBHOOK_LOG_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .default(30)
    .describe('days for which deliveries to webhooks are kept once they have succeeded or failed'),
  ASTRA_RATE_LIMIT_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1)
    .default(2_000)
    .describe('requests a tenant may make a second'),
  ASTRA_MAX_QUEUE_SECONDS: z.coerce
    .number()
    .min(0)
    .default(10)
    .describe('expected wait of a new goal beyond which submissions are refused; 0: never'),
  ASTRA_VIEW_MEMORY_MIB: z.coerce
    .number()
    .int()
    .min(0)
    .default(64)
    .describe('memory of an API process for the views of goals, in MiB; 0: each read asks Redis'),
  ASTRA_SHELL_ROOTS: z
    .string()
    .default('')
    .transform(list(delimiter))
    .describe('directories that shell.run may mount (separated as in PATH); empty: none'),
  ASTRA_SHELL_HIDDEN: z
    .string()
    .default('')
    .transform(list(delimiter))
    .describe('directories that are empty for shell.run wherever they are mounted (separated as in PATH)'),
  ASTRA_SHELL_NETWORK: z.stringbool().default(false).describe('may shell.run ask for the network?'),
  ASTRA_BWRAP_BIN: z.string().default('bwrap').describe('bubblewrap executable'),
  ASTRA_TOOL_MODULES: z
    .string()
    .default('')
    .transform(list(delimiter))
    .describe('modules of your own tools (files, separated as in PATH), each exporting `tools`'),
  ASTRA_PLANNER_MODULES: z
    .string()
    .default('')
    .transform(list(delimiter))
    .describe('modules of your own planners (files, separated as in PATH), each exporting `planners`'),
  ASTRA_EGRESS_ALLOW: z
    .string()
    .default('')
    .transform(list(','))
    .describe(
      'host names, addresses or CIDR blocks (comma-separated) that http.fetch and webhooks may reach though private or loopback',
    ),
  ASTRA_MODEL_PROVIDER: z
    .enum(['openai', 'anthropic', 'openai-compatible'])
    .optional()
    .describe('kind of model endpoint'),
  ASTRA_MODEL_BASE_URL: z.url().optional().describe('base URL of the model endpoint'),
  ASTRA_MODEL_API_KEY: z.string().transform(secret).optional().describe('key of the model endpoint'),
  ASTRA_MODEL: z.string().optional().describe('default model name; unset: goals with an objective alone are refused'),
  ASTRA_WORKER_CLASSES: workerClasses
    .default(new Set(['kernel', 'tools', 'sandbox'] as const))
    .describe('classes a worker process runs'),
  ASTRA_MAX_CACHED_WORKFLOWS: z.coerce.number().int().min(1).default(2_000).describe('goals a worker keeps in memory'),
  ASTRA_RECORD_MEMORY_MIB: z.coerce
    .number()
    .int()
    .min(1)
    .default(256)
    .describe('memory of a worker process for goals, plans and outputs that it has recorded, in MiB'),
  ASTRA_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('log level'),
});
export type Config = Readonly<z.output<typeof environmentSchema>>;
export const configVariables = environmentSchema.shape;

/**
 * The whole configuration, parsed once. Empty variables count as unset.
 * @throws ASTRA_PARAMETER_INVALID with a fault for every variable that is wrong.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const faults: Fault[] = parsed.error.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, message }));
  const text = faults.map(({ pointer, message }) => `${pointer.slice(1)}: ${message}`).join('; ');
  throw new AstraError('ASTRA_PARAMETER_INVALID', `The environment is not valid: ${text}`, { faults });
}
