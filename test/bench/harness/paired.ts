import { median } from './statistics.ts';

export type Variants<Name extends string> = Readonly<Record<Name, () => Promise<number>>>;

export interface Paired<Name extends string> {
  /** The measured repetitions, in order; those of one place were taken one after the other. */
  readonly samples: Readonly<Record<Name, readonly number[]>>;
  /** The median over the repetitions of one variant's figure by another's of the same repetition. */
  ratio(of: Name, to: Name): number;
}

/**
 * Takes each variant's figure in turn, over and over, in an order that alternates: what else the machine does, and what
 * an earlier run leaves behind, meets all of them alike. Warm-ups are taken and dropped.
 */
export async function measurePaired<Name extends string>(
  variants: Variants<Name>,
  { repetitions, warmUps = 1 }: { readonly repetitions: number; readonly warmUps?: number },
): Promise<Paired<Name>> {
  // The keys of an object literal are its type's names.
  const names = Object.keys(variants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = -warmUps; round < repetitions; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await variants[name]();
      if (round >= 0) samples[name].push(figure);
    }
  }
  return {
    samples,
    ratio: (of, to) => median(samples[of].map((figure, place) => figure / (samples[to][place] ?? Number.NaN))),
  };
}
