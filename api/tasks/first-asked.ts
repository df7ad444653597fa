import type { Redis } from 'ioredis';
import { AstraError } from '../../domain/errors.ts';
import { keys } from '../../stores/cache/keys.ts';

/** A repetition comes soon, or not at all. */
const keptSeconds = 86_400;

/**
 * When a request was made first, by its idempotency key: so its repetition takes nothing that was not there to be taken then.
 * While Redis is away every request is a first one.
 * @param body in one form, whoever wrote it
 * @returns RFC 3339
 * @throws ASTRA_IDEMPOTENCY_CONFLICT when the key came with another body
 */
export async function firstAsked(
  redis: Redis,
  { tenant, key, body }: { readonly tenant: string; readonly key: string; readonly body: string },
): Promise<string> {
  const now = new Date().toISOString();
  const name = keys.idempotencyKey(tenant, key);
  const before = await redis
    .set(name, `${now} ${body}`, 'EX', keptSeconds, 'NX')
    .then((isFirst) => (isFirst ? null : redis.get(name)))
    .catch(() => null);
  if (before === null) return now;
  const [at = now] = before.split(' ', 1);
  if (before.slice(at.length + 1) === body) return at;
  const message = 'The Idempotency-Key came with another body before. Use a new key for a new request.';
  throw new AstraError('ASTRA_IDEMPOTENCY_CONFLICT', message);
}
