import type { LimitDefinition } from './schemas/limit.ts';

/** How one bucket of a limit stands, as somebody sees it who asks for a place. */
export interface Standing {
  /** Others that hold a place. */
  readonly holding: number;
  /** Others that wait and come first. */
  readonly ahead: number;
  /** Until when the rate is used up by those that have begun; in the past: it is not. */
  readonly paidUntilMs: number;
}

export type Judgement =
  | {
      readonly free: true;
      /** The bucket's `paidUntilMs` once the place is taken; null: there is no rate. */
      readonly paidUntilMs: number | null;
    }
  | { readonly free: false; readonly kind: 'concurrency'; readonly untilMs: null }
  | { readonly free: false; readonly kind: 'rate_limit'; readonly untilMs: number };

/**
 * May somebody take a place now? A free place belongs to whoever comes first, also when that one has not come for it yet.
 *
 * Rates are counted by the generic cell rate algorithm (ITU-T I.371): one time a bucket, that at which all that has begun
 * is paid for. It gives a burst of `limit`, no more than `limit` in `perSeconds` after that, and the time of each place
 * in the line.
 * @param options.inLine do those that wait keep their places? Calls do not: their turn may come while they are put off.
 */
export function judge(
  { concurrency, rate }: Pick<LimitDefinition, 'concurrency' | 'rate'>,
  { holding, ahead, paidUntilMs }: Standing,
  { nowMs, inLine }: { readonly nowMs: number; readonly inLine: boolean },
): Judgement {
  if (concurrency !== undefined && holding + (inLine ? ahead : 0) >= concurrency) {
    return { free: false, kind: 'concurrency', untilMs: null };
  }
  if (rate === undefined) return { free: true, paidUntilMs: null };
  const intervalMs = (rate.perSeconds * 1_000) / rate.limit;
  const paidMs = Math.max(paidUntilMs, nowMs);
  const untilMs = paidMs + (ahead + 1 - rate.limit) * intervalMs;
  return untilMs <= nowMs
    ? { free: true, paidUntilMs: paidMs + intervalMs }
    : { free: false, kind: 'rate_limit', untilMs };
}
