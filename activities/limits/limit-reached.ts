import { AstraError } from '../../domain/errors.ts';
import type { Limit } from '../../stores/postgres/limits.ts';

/** @param waitMs until there is room again; null: nobody knows */
export function limitReached({ name, concurrency, rate }: Limit, waitMs: number | null): AstraError {
  const bounds = [
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(rate === undefined ? [] : [`${rate.limit} in ${rate.perSeconds} s`]),
  ].join(' and ');
  // Not the key's value, which is made of the goal's data.
  return new AstraError(
    'ASTRA_LIMIT_REACHED',
    `The limit "${name}" allows ${bounds} for what has the same key. Try again later, or raise it: PUT /v1/limits/${name}.`,
    waitMs === null ? {} : { retryAfterSeconds: waitMs / 1_000 },
  );
}
