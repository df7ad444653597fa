/**
 * Why an inline call ended without an answer on its thread: it ran longer than its slice, it needs the stores, which
 * threads do not have, or the batch ended before it began.
 */
export type DeferralReason = 'overrun' | 'needs_stores' | 'not_reached';

/** Thrown on a pool's thread to have the call run elsewhere. Never leaves the pool. */
export class Deferral extends Error {
  override readonly name = 'Deferral';
  readonly reason: DeferralReason;

  constructor(reason: DeferralReason) {
    super(`deferred: ${reason}`);
    this.reason = reason;
  }
}
