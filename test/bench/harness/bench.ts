/** One bench: what is done, and the targets its figures are held to. `npm run bench -- <name>` runs it. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  /** What is measured and how, in Markdown. */
  readonly method: string;
  /** What a reader must not conclude from it, a sentence each. */
  readonly doesNotShow: readonly string[];
  run(options: BenchOptions): Promise<Findings>;
}

export interface BenchOptions {
  /** A short run that yields the `ratios` alone: for the regression guard. */
  readonly quick: boolean;
  readonly log: (line: string) => void;
}

/** What a run has found; kept as JSON in test/bench/results and shown in docs/reference/benchmarks.md. */
export interface Findings {
  readonly targets: readonly Target[];
  readonly tables: readonly Table[];
  /** Where a target is missed: what the profile says; else what a reader should know. A paragraph each. */
  readonly notes: readonly string[];
  /** For the regression guard: of this run alone, paired, the more the better. */
  readonly ratios: Readonly<Record<string, number>>;
}

export interface Target {
  readonly what: string;
  readonly target: string;
  readonly figure: string;
  readonly met: boolean;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `1.23 ≥ 0.9`: a target on a figure of which more, or less, is better. */
export function target(
  what: string,
  figure: number,
  bound: { readonly atLeast: number } | { readonly atMost: number },
  unit = '',
): Target {
  const least = 'atLeast' in bound;
  const limit = least ? bound.atLeast : bound.atMost;
  return {
    what,
    target: `${least ? '≥' : '≤'} ${limit}${unit}`,
    figure: `${round(figure)}${unit}`,
    met: least ? figure >= limit : figure <= limit,
  };
}

/** Three significant digits, thousands separated. */
export const round = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: Math.abs(value) >= 1_000 ? 4 : 3 });
