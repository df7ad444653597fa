import type { Pool } from 'pg';
import { query } from './query.ts';

export interface RevokedToken {
  /** A hash: the token itself is kept nowhere. */
  readonly id: string;
  readonly expiresAtMs: number;
}

export interface RevokedTokenStore {
  /** Of all tenants, those that have not expired: a handful, unless everybody's are revoked. */
  list(): Promise<readonly RevokedToken[]>;
  /** Durable when it resolves. Once more changes nothing. */
  add(tenant: string, token: RevokedToken): Promise<void>;
}

/** Clocks differ: a row outlives its token by this. */
const grace = `interval '1 minute'`;

export function createRevokedTokenStore(pool: Pool): RevokedTokenStore {
  return {
    async list() {
      const rows = await query<{ token_id: string; expires_at: Date }>(pool, {
        name: 'revoked-tokens-list',
        text: `SELECT token_id, expires_at FROM revoked_tokens WHERE expires_at > now() - ${grace}`,
      });
      return rows.map(({ token_id, expires_at }) => ({ id: token_id, expiresAtMs: expires_at.getTime() }));
    },

    async add(tenant, { id, expiresAtMs }) {
      await query(pool, {
        // Whoever adds one removes those that are of no use any more, so that nobody else has to.
        text: `WITH expired AS (DELETE FROM revoked_tokens WHERE expires_at <= now() - ${grace})
          INSERT INTO revoked_tokens (tenant, token_id, expires_at, revoked_at) VALUES ($1, $2, $3, now())
          ON CONFLICT DO NOTHING`,
        values: [tenant, id, new Date(expiresAtMs)],
      });
    },
  };
}
