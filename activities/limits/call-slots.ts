import { setTimeout as sleep } from 'node:timers/promises';
import type { GoalHead, WaitingFor } from '../../domain/schemas/goal.ts';
import type { KnownLimits } from '../../stores/known-limits.ts';
import type { Claim, LimitPlaces } from '../../stores/postgres/limit-places.ts';
import type { TaskRef } from '../contract.ts';
import { claimsOf } from './claims.ts';
import { limitReached } from './limit-reached.ts';

export interface LimitedCall {
  readonly ref: TaskRef;
  readonly tool: string;
  readonly head: GoalHead;
  /** How often it was put off already. */
  readonly timesPutOff: number;
}

export interface HeldSlots {
  /** Never throws: places that cannot be given back lapse. */
  giveBack(): Promise<void>;
}
/** The worker is to do something else meanwhile. */
export interface PutOff {
  readonly waitingFor: WaitingFor;
  readonly seconds: number;
}

/** The slots of tools' calls: their places at the limits that apply to them. */
export interface CallSlots {
  /** In memory: could a limit apply to a call of the tenant's? */
  mayApply(tenant: string): boolean;
  /**
   * Takes the call's places, for which it waits a little, at most until the signal aborts.
   * @throws ASTRA_LIMIT_REACHED where a limit's strategy is to reject; ASTRA_UNAVAILABLE
   */
  take(call: LimitedCall, signal: AbortSignal): Promise<HeldSlots | PutOff>;
}

/** A call's place outlives its worker by this; the task's next attempt takes it over before. */
const leaseSeconds = 30;
/** So long an attempt waits in its worker, which could run another one. */
const patienceMs = 2_000;
/** Attempts of a process that wait so at once. */
const mostWaiting = 20;
/** Without word from this process: another one may have given back a place. */
const askAgainMs = 500;
/** Nobody tells an attempt that is put off that a limit was raised. */
const longestPutOffSeconds = 30;

interface Waiting {
  readonly names: ReadonlySet<string>;
  readonly wake: () => void;
}

export function createCallSlots(deps: {
  readonly known: Pick<KnownLimits, 'of'>;
  readonly places: Pick<LimitPlaces, 'take' | 'renewCall' | 'giveBackCall'>;
}): CallSlots {
  const { known, places } = deps;
  const waiting = new Set<Waiting>();

  function hold({ ref: { goal, taskId } }: LimitedCall, claims: readonly Claim[]): HeldSlots {
    if (claims.length === 0) return { giveBack: async () => undefined };
    const renew = (): void => void places.renewCall(goal, taskId, { leaseSeconds }).catch(() => undefined);
    const timer = setInterval(renew, (leaseSeconds * 1_000) / 3);
    return {
      async giveBack() {
        clearInterval(timer);
        await places.giveBackCall(goal, taskId).catch(() => undefined);
        // One place, one to take it.
        const next = [...waiting].find(({ names }) => claims.some(({ limit }) => names.has(limit.name)));
        next?.wake();
      },
    };
  }

  async function untilFreed(claims: readonly Claim[], waitMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const entry = { names: new Set(claims.map(({ limit }) => limit.name)), wake: () => woken.abort() };
    waiting.add(entry);
    try {
      await sleep(waitMs, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
    } finally {
      waiting.delete(entry);
    }
  }

  return {
    mayApply: (tenant) => known.of(tenant, 'task').length > 0,

    async take(call, signal) {
      const { ref, tool, head, timesPutOff } = call;
      const { goal, taskId } = ref;
      const claims = claimsOf(known.of(goal.tenant, 'task'), { head, call: { tool, taskId } });
      if (claims.length === 0) return hold(call, claims);
      const claimant = { goal, taskId, priority: head.priority };
      const patientUntil = performance.now() + patienceMs;
      for (;;) {
        const answer = await places.take(claimant, claims, { leaseSeconds });
        if (answer.outcome === 'taken') return hold(call, claims);
        const { waitMs } = answer;
        if (answer.outcome === 'rejected') throw limitReached(answer.limit, waitMs);
        const patienceLeftMs = patientUntil - performance.now();
        const isPatient = patienceLeftMs >= (waitMs ?? 1) && waiting.size < mostWaiting;
        if (isPatient) await untilFreed(claims, waitMs ?? Math.min(patienceLeftMs, askAgainMs), signal);
        // What has not begun is put off, and not lost, when its worker is stopped.
        if (!isPatient || signal.aborted) {
          return { waitingFor: answer.waitingFor, seconds: putOffSeconds(waitMs, timesPutOff) };
        }
      }
    },
  };
}

/** Until there is room, where that is known; else longer and longer, each a little differently. */
function putOffSeconds(waitMs: number | null, timesPutOff: number): number {
  if (waitMs !== null) return Math.min(waitMs / 1_000, longestPutOffSeconds);
  return Math.min(longestPutOffSeconds, 0.5 * 2 ** timesPutOff) * (0.5 + Math.random() / 2);
}
