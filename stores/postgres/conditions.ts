/**
 * A WHERE clause that holds only the conditions asked for, so that Postgres can plan with the index that fits them.
 * `?` stands for the value.
 */
export function createConditions() {
  const clauses: string[] = [];
  const values: unknown[] = [];
  const add = (clause: string, ...given: readonly unknown[]): void => {
    // Absent filters are left out.
    if (given.some((value) => value === undefined || value === null)) return;
    let next = 0;
    clauses.push(
      clause.replaceAll('?', () => {
        values.push(given[next]);
        next += 1;
        return `$${values.length}`;
      }),
    );
  };
  return { add, values, where: () => clauses.join(' AND ') };
}
