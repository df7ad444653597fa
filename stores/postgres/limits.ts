import type { Pool } from 'pg';
import { limits as bounds } from '../../domain/limits.ts';
import { limitNameSchema, type LimitDefinition, type LimitView } from '../../domain/schemas/limit.ts';
import { decodeCursor, toPage, type Page } from './cursor.ts';
import { query } from './query.ts';

/** A limit as goals and calls meet it. */
export interface Limit extends LimitDefinition {
  readonly name: string;
}

export interface LimitStore {
  /** By name. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<LimitView>>;
  get(tenant: string, name: string): Promise<LimitView | null>;
  /** Creates or replaces; says which. What holds a place keeps it. `full`: the tenant has as many as it may have. */
  put(tenant: string, name: string, definition: LimitDefinition): Promise<'created' | 'replaced' | 'full'>;
  /** False when there was none. */
  delete(tenant: string, name: string): Promise<boolean>;
  /** Of one tenant, as they are now. */
  of(tenant: string): Promise<readonly Limit[]>;
  /** Of all tenants: a few, as each is somebody's decision. */
  all(): Promise<ReadonlyMap<string, readonly Limit[]>>;
  /** Moves with each change. */
  revision(): Promise<number>;
}

interface Row {
  readonly name: string;
  readonly definition: LimitDefinition;
  readonly updated_at: Date;
  readonly holding: number;
  readonly waiting: number;
}

const toView = ({ name, definition, updated_at, holding, waiting }: Row): LimitView => ({
  name,
  ...definition,
  holding,
  waiting,
  updatedAt: updated_at.toISOString(),
});

const views = `
SELECT l.name, l.definition, l.updated_at, p.holding, p.waiting FROM limits l CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE taken_at IS NOT NULL) AS holding, count(*) FILTER (WHERE taken_at IS NULL) AS waiting
  FROM limit_places WHERE tenant = l.tenant AND limit_name = l.name AND (lease_until IS NULL OR lease_until > now())) p
WHERE l.tenant = $1`;
const moved = 'moved AS (UPDATE limits_revision SET revision = revision + 1)';

/** The limits of tenants; what goes on under them is in limit-places.ts. */
export function createLimitStore(pool: Pool): LimitStore {
  return {
    async list(tenant, { limit, cursor }) {
      const rows = await query<Row>(pool, {
        text: `${views} AND l.name > $2 ORDER BY l.name LIMIT $3`,
        values: [tenant, decodeCursor(cursor, limitNameSchema)?.key ?? '', limit + 1],
      });
      return toPage(rows, limit, { item: toView, position: ({ name }) => ({ key: name, id: name }) });
    },

    async get(tenant, name) {
      const rows = await query<Row>(pool, { text: `${views} AND l.name = $2`, values: [tenant, name] });
      return rows[0] ? toView(rows[0]) : null;
    },

    async put(tenant, name, definition) {
      const rows = await query<{ created: boolean }>(pool, {
        // A row that this statement inserted has no older version.
        text: `WITH ${moved} INSERT INTO limits (tenant, name, definition, updated_at)
               SELECT $1, $2, $3::json, now() WHERE (SELECT count(*) FROM limits WHERE tenant = $1 AND name <> $2) < $4
               ON CONFLICT (tenant, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at
               RETURNING (xmax = 0) AS created`,
        values: [tenant, name, JSON.stringify(definition), bounds.flowLimits],
      });
      if (!rows[0]) return 'full';
      return rows[0].created ? 'created' : 'replaced';
    },

    async delete(tenant, name) {
      const rows = await query(pool, {
        text: `WITH ${moved} DELETE FROM limits WHERE tenant = $1 AND name = $2 RETURNING name`,
        values: [tenant, name],
      });
      return rows.length === 1;
    },

    async of(tenant) {
      const rows = await query<Pick<Row, 'name' | 'definition'>>(pool, {
        name: 'limits-of-tenant',
        text: 'SELECT name, definition FROM limits WHERE tenant = $1 ORDER BY name',
        values: [tenant],
      });
      return rows.map(({ name, definition }) => ({ name, ...definition }));
    },

    async all() {
      const rows = await query<Pick<Row, 'name' | 'definition'> & { tenant: string }>(pool, {
        text: 'SELECT tenant, name, definition FROM limits ORDER BY tenant, name',
      });
      const byTenant = Map.groupBy(rows, ({ tenant }) => tenant);
      return new Map(
        [...byTenant].map(([tenant, own]) => [tenant, own.map(({ name, definition }) => ({ name, ...definition }))]),
      );
    },

    async revision() {
      const rows = await query<{ revision: number }>(pool, {
        name: 'limits-revision',
        text: 'SELECT revision FROM limits_revision',
      });
      return rows[0]?.revision ?? 0;
    },
  };
}
