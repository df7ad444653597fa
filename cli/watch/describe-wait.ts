import type { WaitingFor } from '@astra/sdk';
import { formatRoughly } from '../text/duration.ts';

// The id of an approval is to be pasted, so it stands where it is never cut (`formatQuestion`).
const reasons: Record<WaitingFor['kind'], (detail: string) => string> = {
  dependency: (detail) => `waits for ${detail}`,
  worker: (detail) => `waits for a worker (${detail})`,
  retry: () => 'waits to try again',
  approval: () => 'waits for a decision',
  timer: () => 'waits',
  event: (detail) => `waits for event ${detail}`,
  concurrency: (detail) => `waits for room under limit ${detail}`,
  rate_limit: (detail) => `waits for its turn under limit ${detail}`,
  budget: (detail) => `waits for budget: ${detail}`,
  paused: (detail) => `paused: ${detail}`,
  dead_letter: () => 'put aside: retry or discard it',
  goal_ending: (detail) => `does not start: ${detail}`,
};

/** Why it waits, and until when. @param time how an RFC 3339 time is shown */
export function describeWait({ kind, detail, until }: WaitingFor, time: (at: string) => string): string {
  const reason = reasons[kind](detail);
  return until === null ? reason : `${reason} until ${time(until)}`;
}

/** `ends in ~12 s`; empty where nobody can say. */
export const describeEta = (eta: string | null, now: number): string =>
  eta === null ? '' : `ends in ~${formatRoughly(Date.parse(eta) - now)}`;
