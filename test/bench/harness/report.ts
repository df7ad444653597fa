import type { Bench, Table } from './bench.ts';
import type { Result } from './results.ts';

/** One bench and its last result; null: not run yet. */
export interface Measured {
  readonly bench: Bench;
  readonly result: Result | null;
}

/** The measured part of docs/reference/benchmarks.md. */
export const renderReport = (measured: readonly Measured[]): string =>
  ['## Targets and figures', renderTargets(measured), ...measured.map(renderBench)].join('\n\n');

function renderTargets(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ bench, result }) =>
    (result?.targets ?? []).map(({ what, target, figure, met }) => [
      `[${bench.title}](#${bench.name})`,
      what,
      target,
      figure,
      met ? 'yes' : '**no**',
    ]),
  );
  return renderTable({ title: '', columns: ['bench', 'what', 'target', 'figure', 'met'], rows });
}

function renderBench({ bench, result }: Measured): string {
  const head = [`<a id="${bench.name}"></a>`, `## ${bench.title}`, bench.method.trim()];
  if (!result) return [...head, '_Not measured yet._'].join('\n\n');
  const { measuredAt, machine, seconds, tables, notes } = result;
  return [
    ...head,
    `Measured ${measuredAt} in ${seconds} s on ${machine}.`,
    ...tables.flatMap((table) => [`**${table.title}**`, renderTable(table)]),
    ...notes,
    'What this does not show:',
    bench.doesNotShow.map((line) => `- ${line}`).join('\n'),
  ].join('\n\n');
}

function renderTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
}
