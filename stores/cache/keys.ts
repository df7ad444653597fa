import type { GoalRef } from '../../domain/goal-ref.ts';

/**
 * Every key and channel that Astra uses in Redis.
 *
 * 1. The tenant is in every name that leads to data: no id, however guessed, reads another tenant's.
 * 2. A script touches the keys of one goal only; no two keys need the same cluster slot.
 */
export const keys = {
  /** Hash: the goal's views, see view-cache.ts. */
  goal: ({ tenant, goalId }: GoalRef): string => `astra:${tenant}:goal:${goalId}`,
  /** All of the above, as a pattern for SCAN. */
  everyGoal: 'astra:*:goal:*',
  /** Channel: a new `seq`, or word of the live lane. */
  wake: ({ tenant, goalId }: GoalRef): string => `astra:${tenant}:wake:${goalId}`,
  /** Stream: the live lane. */
  live: ({ tenant, goalId }: GoalRef): string => `astra:${tenant}:live:${goalId}`,
  /** All that there is of a tenant, as a pattern for SCAN: a tenant's name has no character that means something in one. */
  everythingOf: (tenant: string): string => `astra:${tenant}:*`,
  /** Prefix of a tenant's counters. */
  rateLimit: (tenant: string): string => `astra:${tenant}:rate`,
  /** When a request with this key was made first, and what it said. */
  idempotencyKey: (tenant: string, key: string): string => `astra:${tenant}:asked:${key}`,
  /** Channel: a token that was revoked, as `<hash> <expiry in ms>`. */
  revocations: 'astra:revocations',
  /** Channel: webhooks of some tenant have changed. */
  webhookChanges: 'astra:webhook-changes',
  /** Channel: goals that are cancelled, see cancel-channel.ts. */
  cancels: 'astra:cancels',
  /** A cached answer, in Memcached or where Redis stands in for it. */
  answer: (tenant: string, digest: string): string => `${keys.answers(tenant)}${digest}`,
  /** Prefix of a tenant's cached answers. */
  answers: (tenant: string): string => `astra:${tenant}:answer:`,
} as const;
