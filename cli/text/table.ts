import { clean, truncate } from './clean.ts';

/** Rows in aligned columns. With a `width`, the last column is cut to fit. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], width?: number): string[] {
  const cells = [header, ...rows.map((row) => row.map(clean))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) => {
    const line = row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
    return width === undefined ? line : truncate(line, width);
  });
}
