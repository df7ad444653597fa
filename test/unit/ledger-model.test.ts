import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLedgerModel, type LedgerModel } from '../support/budgets/ledger-model.ts';
import { ledgerScopes, ledgerSteps, type LedgerStep } from '../support/budgets/ledger-steps.ts';

function apply(model: LedgerModel, reserved: Map<number, number>, step: LedgerStep): void {
  if (step.kind === 'limit') return model.set(step.scope, { tokens: Math.max(step.limit, spentOf(model, step.scope)) });
  if (step.kind === 'reserve') {
    const refusing = model.reserve(`t${step.task}`, step.scopes, { tokens: step.amount });
    // A call that has taken another's reservation over costs no more than either.
    if (refusing.length === 0) reserved.set(step.task, Math.min(reserved.get(step.task) ?? Infinity, step.amount));
    return;
  }
  const share = Math.floor(((reserved.get(step.task) ?? 0) * (step.share ?? 100)) / 100);
  model.settle(`t${step.task}`, step.share === null ? null : { tokens: share });
  reserved.delete(step.task);
}

/** Somebody may set a limit below what is spent; here nobody does, so that it is never exceeded. */
const spentOf = (model: LedgerModel, scope: string): number => {
  const { reserved = 0, spent = 0 } = model.row(scope, 'tokens') ?? {};
  return reserved + spent;
};

test('no order of calls exceeds a limit, or leaves anything reserved once all are settled', () => {
  fc.assert(
    fc.property(ledgerSteps, (steps) => {
      const model = createLedgerModel();
      const reserved = new Map<number, number>();
      for (const scope of ledgerScopes) model.set(scope, { tokens: 100 });
      for (const step of steps) {
        apply(model, reserved, step);
        for (const { limit, reserved: held, spent } of model.rows()) {
          expect(held).toBeGreaterThanOrEqual(0);
          expect(held + spent).toBeLessThanOrEqual(limit);
        }
      }
      for (const task of reserved.keys()) model.settle(`t${task}`, null);
      expect(model.rows().every((row) => row.reserved === 0)).toBe(true);
    }),
  );
});
