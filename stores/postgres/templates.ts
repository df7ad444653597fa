import type { Pool } from 'pg';
import { templateNameSchema, type Template } from '../../domain/schemas/template.ts';
import { decodeCursor, toPage, type Page } from './cursor.ts';
import { query } from './query.ts';

export interface TemplateStore {
  /** By name. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(tenant: string, page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Template>>;
  get(tenant: string, name: string): Promise<Template | null>;
  /** Creates or replaces; says which. */
  put(tenant: string, template: Template): Promise<'created' | 'replaced'>;
  /** False when there was none. */
  delete(tenant: string, name: string): Promise<boolean>;
}

/** Named plans of a tenant. */
export function createTemplateStore(pool: Pool): TemplateStore {
  return {
    async list(tenant, { limit, cursor }) {
      const rows = await query<{ definition: Template }>(pool, {
        name: 'templates-list',
        text: 'SELECT definition FROM templates WHERE tenant = $1 AND name > $2 ORDER BY name LIMIT $3',
        values: [tenant, decodeCursor(cursor, templateNameSchema)?.key ?? '', limit + 1],
      });
      return toPage(rows, limit, {
        item: ({ definition }) => definition,
        position: ({ definition: { name } }) => ({ key: name, id: name }),
      });
    },

    async get(tenant, name) {
      const rows = await query<{ definition: Template }>(pool, {
        name: 'template-get',
        text: 'SELECT definition FROM templates WHERE tenant = $1 AND name = $2',
        values: [tenant, name],
      });
      return rows[0]?.definition ?? null;
    },

    async put(tenant, template) {
      const rows = await query<{ created: boolean }>(pool, {
        name: 'template-put',
        // A row that this statement inserted has no older version.
        text: `INSERT INTO templates (tenant, name, definition, updated_at) VALUES ($1, $2, $3, now())
               ON CONFLICT (tenant, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at
               RETURNING (xmax = 0) AS created`,
        values: [tenant, template.name, JSON.stringify(template)],
      });
      return rows[0]?.created === true ? 'created' : 'replaced';
    },

    async delete(tenant, name) {
      const rows = await query(pool, {
        text: 'DELETE FROM templates WHERE tenant = $1 AND name = $2 RETURNING name',
        values: [tenant, name],
      });
      return rows.length === 1;
    },
  };
}
