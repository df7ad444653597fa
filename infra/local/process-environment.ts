import { delimiter } from 'node:path';
import type { Environment } from './component.ts';
import { jwtAudience, jwtIssuer } from './local-token.ts';
import { projectDir } from './paths.ts';
import { s3Bucket, s3Region } from './servers/s3.ts';

export interface Addresses {
  apiPort: number;
  temporalAddress: string;
  temporalUiUrl: string;
  databaseUrl: string;
  redisUrl: string;
  memcachedServers: string;
  s3Endpoint: string;
  s3AccessKeyId: string;
  s3SecretAccessKey: string;
  jwksFile: string;
  secretsKey: string;
  bwrap: string | null;
  /** With secrets in it, which no sandboxed command may see. */
  stateDirectory: string;
}

/** What API and worker take from the user's environment as it is; nothing else of it reaches them. */
const passedThrough = [
  'PATH',
  'HOME',
  'LANG',
  'TMPDIR',
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'ASTRA_EGRESS_ALLOW',
  'ASTRA_LOG_LEVEL',
  'ASTRA_MAX_CACHED_WORKFLOWS',
  'ASTRA_MAX_QUEUE_SECONDS',
  'ASTRA_RATE_LIMIT_PER_SECOND',
  'ASTRA_SHELL_NETWORK',
  'ASTRA_TOOL_MODULES',
  'ASTRA_WEBHOOK_LOG_DAYS',
  'ASTRA_WORKER_CLASSES',
];
const passedThroughPrefixes = ['ASTRA_MODEL', 'OTEL_'];

/** The configuration of API and worker for this stack (each adds its own ASTRA_ADMIN_PORT). */
export function processEnvironment(env: Environment, addresses: Addresses): Record<string, string> {
  const apiUrl = `http://127.0.0.1:${addresses.apiPort}`;
  return {
    ...selectFrom(env),
    TEMPORAL_ADDRESS: addresses.temporalAddress,
    TEMPORAL_NAMESPACE: 'default',
    DATABASE_URL: addresses.databaseUrl,
    REDIS_URL: addresses.redisUrl,
    MEMCACHED_SERVERS: addresses.memcachedServers,
    AWS_ENDPOINT_URL_S3: addresses.s3Endpoint,
    AWS_ACCESS_KEY_ID: addresses.s3AccessKeyId,
    AWS_SECRET_ACCESS_KEY: addresses.s3SecretAccessKey,
    AWS_REGION: s3Region,
    ASTRA_S3_BUCKET: s3Bucket,
    ASTRA_API_HOST: '127.0.0.1',
    ASTRA_API_PORT: String(addresses.apiPort),
    ASTRA_PUBLIC_URL: apiUrl,
    ASTRA_TEMPORAL_UI_URL: addresses.temporalUiUrl,
    ASTRA_JWKS_FILE: addresses.jwksFile,
    ASTRA_JWT_ISSUER: jwtIssuer,
    ASTRA_JWT_AUDIENCE: jwtAudience,
    ASTRA_SECRETS_KEY: addresses.secretsKey,
    ASTRA_SHELL_ROOTS: env.ASTRA_SHELL_ROOTS ?? projectDir,
    ASTRA_SHELL_HIDDEN: [addresses.stateDirectory, env.ASTRA_SHELL_HIDDEN].filter(Boolean).join(delimiter),
    ...(addresses.bwrap !== null && { ASTRA_BWRAP_BIN: addresses.bwrap }),
  };
}

function selectFrom(env: Environment): Record<string, string> {
  const selected: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const wanted = passedThrough.includes(name) || passedThroughPrefixes.some((prefix) => name.startsWith(prefix));
    if (wanted && value !== undefined) selected[name] = value;
  }
  return selected;
}
