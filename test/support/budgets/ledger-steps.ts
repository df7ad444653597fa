import fc from 'fast-check';

/** Whole numbers only, which compare exactly as text and as numbers. */
export type LedgerStep =
  | { readonly kind: 'reserve'; readonly task: number; readonly scopes: readonly string[]; readonly amount: number }
  /** `share`: of what was reserved, in percent; null: the attempt was lost for good. */
  | { readonly kind: 'settle'; readonly task: number; readonly share: number | null }
  | { readonly kind: 'limit'; readonly scope: string; readonly limit: number };

export const ledgerScopes = ['tenant', 'agent:a', 'goal:gol_0000000000000001'] as const;
export const ledgerTasks = 6;

const task = fc.nat(ledgerTasks - 1);
const amount = fc.nat(40);

/** What may happen to a ledger. Calls cost at most what they have reserved. */
export const ledgerSteps: fc.Arbitrary<LedgerStep[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('reserve' as const),
        task,
        scopes: fc.subarray([...ledgerScopes]),
        amount,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('settle' as const), task, share: fc.option(fc.nat(100)) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('limit' as const),
        scope: fc.constantFrom(...ledgerScopes),
        limit: fc.integer({ min: 40, max: 120 }),
      }),
    },
  ),
  { maxLength: 40 },
);
