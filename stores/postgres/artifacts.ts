import type { Pool } from 'pg';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { decodeCursor, exactTime, toPage, type Page } from './cursor.ts';
import { query } from './query.ts';

/** An artifact and where it came from. `createdAt` is RFC 3339. */
export type ArtifactRecord = Artifact & {
  readonly goalId: GoalId | null;
  readonly taskId: string | null;
  readonly createdAt: string;
};

export interface ArtifactList {
  /** Oldest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  ofGoal(
    tenant: string,
    goalId: GoalId,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ArtifactRecord>>;
  get(tenant: string, artifactId: string): Promise<ArtifactRecord | null>;
}

interface Row {
  readonly artifact_id: string;
  readonly goal_id: GoalId | null;
  readonly task_id: string | null;
  readonly sha256: string;
  readonly name: string;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly created: string;
}

const columns = `artifact_id, goal_id, task_id, sha256, name, media_type, size_bytes, ${exactTime('created_at')} AS created`;

/** What is known of artifacts; the bytes are in object storage. */
export function createArtifactList(pool: Pool): ArtifactList {
  return {
    async ofGoal(tenant, goalId, { limit, cursor }) {
      const position = decodeCursor(cursor);
      const rows = await query<Row>(pool, {
        name: 'artifacts-of-goal',
        text: `SELECT ${columns} FROM artifacts WHERE tenant = $1 AND goal_id = $2
               AND (created_at, artifact_id) > (coalesce($3::timestamptz, '-infinity'), coalesce($4, ''))
               ORDER BY created_at, artifact_id LIMIT $5`,
        values: [tenant, goalId, position?.key ?? null, position?.id ?? null, limit + 1],
      });
      return toPage(rows, limit, { item: toRecord, position: (row) => ({ key: row.created, id: row.artifact_id }) });
    },

    async get(tenant, artifactId) {
      const rows = await query<Row>(pool, {
        name: 'artifact-get',
        text: `SELECT ${columns} FROM artifacts WHERE tenant = $1 AND artifact_id = $2 LIMIT 1`,
        values: [tenant, artifactId],
      });
      return rows[0] ? toRecord(rows[0]) : null;
    },
  };
}

const toRecord = (row: Row): ArtifactRecord => ({
  id: row.artifact_id,
  name: row.name,
  mediaType: row.media_type,
  sizeBytes: row.size_bytes,
  sha256: row.sha256,
  goalId: row.goal_id,
  taskId: row.task_id,
  createdAt: row.created,
});
