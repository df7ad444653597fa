import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import type { SecretBox } from '../../platform/secret-box.ts';
import { query } from './query.ts';

/** Names of secrets, in the tenant. */
export const secretNames = {
  /** What messages to a webhook are signed with; of `callback`, those to the `callbackUrl`s of goals. */
  webhook: (webhookId: string): string => `webhook/${webhookId}`,
  /** What messages to an inbound webhook must be signed with. */
  inboundWebhook: (webhookId: string): string => `inbound-webhook/${webhookId}`,
};

/** As the Standard Webhooks specification writes a key: 24 to 64 bytes in base64. */
export const newSigningSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** All throw ASTRA_SECRETS_NOT_CONFIGURED and ASTRA_UNAVAILABLE. */
export interface SigningSecrets {
  /** The current one first, then those that it replaced within the last day; none when the name has none. */
  read(tenant: string, name: string): Promise<readonly string[]>;
  /** The current one; makes one if there is none. */
  ensure(tenant: string, name: string): Promise<string>;
  /** A new one. Those before it count for another day. Of a name that has none it is the first. */
  rotate(tenant: string, name: string): Promise<string>;
}

export function createSigningSecrets(pool: Pool, box: SecretBox): SigningSecrets {
  async function read(tenant: string, name: string): Promise<readonly string[]> {
    const rows = await query<{ sealed: Buffer }>(pool, {
      name: 'secrets-read',
      text: `SELECT sealed FROM secrets WHERE tenant = $1 AND name = $2 AND (expires_at IS NULL OR expires_at > now())
        ORDER BY version DESC`,
      values: [tenant, name],
    });
    return rows.map(({ sealed }) => box.open(sealed, { tenant, name }));
  }

  return {
    read,
    async ensure(tenant, name) {
      const [current] = await read(tenant, name);
      if (current !== undefined) return current;
      await query(pool, {
        text: 'INSERT INTO secrets (tenant, name, version, sealed) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING',
        values: [tenant, name, box.seal(newSigningSecret(), { tenant, name })],
      });
      // Another call may have been first.
      const [made] = await read(tenant, name);
      if (made === undefined) throw changedMeanwhile();
      return made;
    },
    async rotate(tenant, name) {
      const secret = newSigningSecret();
      const rows = await query(pool, {
        text: `WITH replaced AS (
            UPDATE secrets SET expires_at = now() + interval '1 day'
            WHERE tenant = $1 AND name = $2 AND expires_at IS NULL
          ), expired AS (
            DELETE FROM secrets WHERE tenant = $1 AND name = $2 AND expires_at <= now()
          )
          INSERT INTO secrets (tenant, name, version, sealed)
          SELECT $1, $2, coalesce(max(version), 0) + 1, $3 FROM secrets WHERE tenant = $1 AND name = $2
          ON CONFLICT DO NOTHING RETURNING version`,
        values: [tenant, name, box.seal(secret, { tenant, name })],
      });
      // Another call has made this version.
      if (rows.length === 0) throw changedMeanwhile();
      return secret;
    },
  };
}

const changedMeanwhile = (): AstraError =>
  new AstraError('ASTRA_UNAVAILABLE', 'The secret is being replaced by another call. Try again.', {
    retryAfterSeconds: 1,
  });
