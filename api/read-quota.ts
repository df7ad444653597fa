/** Counted by this process alone: a round trip for each cached read would double its cost. */
export interface ReadQuota {
  /** Zero, or after how many milliseconds the tenant may read again. */
  take(tenant: string): number;
  giveBack(tenant: string): void;
}

/** So many reads a second for each tenant. */
export function createReadQuota(perSecond: number): ReadQuota {
  const taken = new Map<string, number>();
  let endsAtMs = -Infinity;

  return {
    take(tenant) {
      const now = performance.now();
      if (now >= endsAtMs) {
        taken.clear();
        endsAtMs = now + 1_000;
      }
      const count = (taken.get(tenant) ?? 0) + 1;
      taken.set(tenant, count);
      return count <= perSecond ? 0 : endsAtMs - now;
    },
    giveBack(tenant) {
      taken.set(tenant, Math.max(0, (taken.get(tenant) ?? 0) - 1));
    },
  };
}
