import type { Pool } from 'pg';
import type { ToolManifest } from '../../domain/schemas/tool.ts';
import { query } from './query.ts';

export interface ToolStore {
  /** All of them, by name: a catalogue is small and always needed whole. */
  list(): Promise<readonly ToolManifest[]>;
  /** Creates or replaces. Workers announce their tools when they start. */
  put(manifests: readonly ToolManifest[]): Promise<void>;
}

/** The catalogue of tools that workers have announced. It is the same for all tenants. */
export function createToolStore(pool: Pool): ToolStore {
  return {
    async list() {
      const rows = await query<{ manifest: ToolManifest }>(pool, {
        name: 'tools-list',
        text: 'SELECT manifest FROM tools ORDER BY name',
      });
      return rows.map(({ manifest }) => manifest);
    },

    async put(manifests) {
      await query(pool, {
        text: `INSERT INTO tools (name, manifest, updated_at)
         SELECT manifest->>'name', manifest, now() FROM jsonb_array_elements($1::jsonb) AS manifest ORDER BY 1
         ON CONFLICT (name) DO UPDATE SET manifest = excluded.manifest, updated_at = excluded.updated_at
         WHERE tools.manifest IS DISTINCT FROM excluded.manifest`,
        values: [JSON.stringify(manifests)],
      });
    },
  };
}
