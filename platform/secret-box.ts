import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AstraError } from '../domain/errors.ts';
import type { Secret } from './config.ts';

/** What a sealed text belongs to; it opens under the same name only, so that no row's secret passes for another's. */
export interface SecretName {
  readonly tenant: string;
  readonly name: string;
}

/**
 * Secrets as they are kept in Postgres: AES-256-GCM under ASTRA_SECRETS_KEY.
 * Both throw ASTRA_SECRETS_NOT_CONFIGURED without the key, and `open` when it is not the one that sealed.
 */
export interface SecretBox {
  seal(text: string, owner: SecretName): Buffer;
  open(sealed: Buffer, owner: SecretName): string;
}

const cipher = 'aes-256-gcm';
/** The first byte, should there ever be another form. */
const form = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

/** @param key 32 bytes in base64 */
export function createSecretBox(key: Secret | undefined): SecretBox {
  const bytes = key && Buffer.from(key.reveal(), 'base64');
  const requireKey = (): Buffer => {
    if (bytes) return bytes;
    throw new AstraError(
      'ASTRA_SECRETS_NOT_CONFIGURED',
      'Webhooks need a key to keep their secrets under. Set ASTRA_SECRETS_KEY for the API and the workers, for example to what `openssl rand -base64 32` gives.',
    );
  };
  return {
    seal(text, owner) {
      // 96 random bits: safe for 2^32 secrets under one key (NIST SP 800-38D).
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, requireKey(), nonce, { authTagLength: tagBytes });
      sealing.setAAD(nameOf(owner));
      const body = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()]);
      return Buffer.concat([Buffer.of(form), nonce, sealing.getAuthTag(), body]);
    },
    open(sealed, owner) {
      const opening = createDecipheriv(cipher, requireKey(), sealed.subarray(1, 1 + nonceBytes), {
        authTagLength: tagBytes,
      });
      opening.setAAD(nameOf(owner));
      opening.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
      try {
        return Buffer.concat([opening.update(sealed.subarray(headBytes)), opening.final()]).toString('utf8');
      } catch (cause) {
        const message =
          'A secret was sealed under another ASTRA_SECRETS_KEY. Set that key again, or make the webhook anew.';
        throw new AstraError('ASTRA_SECRETS_NOT_CONFIGURED', message, { cause });
      }
    },
  };
}

/** A tenant's name has no slash. */
const nameOf = ({ tenant, name }: SecretName): Buffer => Buffer.from(`${tenant}/${name}`);
