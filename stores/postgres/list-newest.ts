import type { Pool, QueryResultRow } from 'pg';
import { createConditions } from './conditions.ts';
import { decodeCursor, toPage, type Page } from './cursor.ts';
import { query } from './query.ts';

/** Which rows. All but the filters' values are the statement's own text. */
interface Listed {
  readonly table: string;
  readonly columns: string;
  /** Column of the time and of the id by which they are in order. */
  readonly order: readonly [time: string, id: string];
  /** Column → value; what is undefined is no filter. */
  readonly filters: Readonly<Record<string, string | undefined>>;
}

/**
 * A page of rows, newest first; of equals, the greater id first.
 * @param map.position the row's time, exactly (`exactTime`), and its id
 * @throws ASTRA_PARAMETER_INVALID for a strange cursor; ASTRA_UNAVAILABLE
 */
export async function listNewest<Row extends QueryResultRow, T>(
  pool: Pool,
  { table, columns, order: [time, id], filters }: Listed,
  {
    limit,
    cursor,
    ...map
  }: { readonly limit: number; readonly cursor?: string | undefined } & Parameters<typeof toPage<Row, T>>[2],
): Promise<Page<T>> {
  const position = decodeCursor(cursor);
  const conditions = createConditions();
  for (const [column, value] of Object.entries(filters)) conditions.add(`${column} = ?`, value);
  conditions.add(`(${time}, ${id}) < (?::timestamptz, ?)`, position?.key, position?.id);
  const rows = await query<Row>(pool, {
    text: `SELECT ${columns} FROM ${table} WHERE ${conditions.where()} ORDER BY ${time} DESC, ${id} DESC LIMIT ${limit + 1}`,
    values: conditions.values,
  });
  return toPage(rows, limit, map);
}
