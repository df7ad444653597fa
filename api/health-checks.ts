import type { Connection } from '@temporalio/client';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { AstraError } from '../domain/errors.ts';
import type { HealthCheck } from '../platform/health.ts';
import type { ArtifactStore } from '../stores/artifacts/artifact-store.ts';
import { checkPostgres } from '../stores/postgres/pool.ts';
import { checkRedis } from '../stores/redis.ts';

const timeoutMs = 1_500;

/** What the API depends on. What a check says is shown to anybody: no addresses. */
export function createHealthChecks(deps: {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly connection: Connection;
  readonly namespace: string;
  readonly artifactStore: Pick<ArtifactStore, 'check'>;
}): Record<'temporal' | 'postgres' | 'redis' | 's3', HealthCheck> {
  const { pool, redis, connection, namespace, artifactStore } = deps;
  return {
    temporal: () => checkTemporal(connection, namespace),
    postgres: () => checkPostgres(pool),
    redis: () => checkRedis(redis),
    s3: () => artifactStore.check(),
  };
}

async function checkTemporal(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } catch (cause) {
    throw new AstraError(
      'ASTRA_UNAVAILABLE',
      'The workflow engine does not answer. No goal can be submitted or told anything.',
      { cause },
    );
  }
}
