import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';

/** Where the next page of a list begins: after this sort key, and this id where keys are equal. */
export interface Position {
  readonly key: string;
  readonly id: string;
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

const positionSchema = z.tuple([z.string(), z.string().regex(/^[\w.-]{1,200}$/)]);
const timeKeySchema = z.iso.datetime();

/** Opaque to clients, so that what lists are sorted by may change. */
export const encodeCursor = ({ key, id }: Position): string =>
  Buffer.from(JSON.stringify([key, id])).toString('base64url');

/**
 * Of a list that is sorted by time, or by what `key` says.
 * @throws ASTRA_PARAMETER_INVALID
 */
export function decodeCursor(cursor: string | undefined, key: z.ZodType<string> = timeKeySchema): Position | null {
  if (cursor === undefined) return null;
  try {
    const [sortKey, id] = positionSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { key: key.parse(sortKey), id };
  } catch (cause) {
    throw new AstraError(
      'ASTRA_PARAMETER_INVALID',
      'The cursor is not one that this API gave. Begin without a cursor.',
      {
        faults: [{ pointer: '/cursor', message: 'is not a cursor' }],
        cause,
      },
    );
  }
}

/** A page out of one row more than it shows: whether that row is there says whether there is a next page. */
export function toPage<Row, T>(
  rows: readonly Row[],
  limit: number,
  map: { readonly item: (row: Row) => T; readonly position: (row: Row) => Position },
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(map.item), nextCursor: last === undefined ? null : encodeCursor(map.position(last)) };
}

/** For timestamps as sort keys: a Date would lose the microseconds. */
export const exactTime = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
