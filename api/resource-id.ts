import { hash, randomBytes } from 'node:crypto';
import { prefixedId } from '../domain/ids.ts';

/**
 * The id of something new. The same tenant and key always give the same one, so that it is made once; without a key it is a
 * random one.
 */
export function createResourceId(
  prefix: string,
  tenant: string,
  { idempotencyKey }: { readonly idempotencyKey: string | undefined },
): string {
  const bytes =
    idempotencyKey === undefined
      ? randomBytes(16)
      : // A tenant's name and a prefix have no NUL, so no two triples are written alike.
        hash('sha256', `${prefix}\0${tenant}\0${idempotencyKey}`, 'buffer');
  return prefixedId(prefix, bytes);
}
