import { toErrorInfo } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { GoalHead, WaitingFor } from '../../domain/schemas/goal.ts';
import type { KnownLimits } from '../../stores/known-limits.ts';
import type { LimitPlaces, TakeAnswer } from '../../stores/postgres/limit-places.ts';
import type { LimitWaiters } from '../../stores/postgres/limit-waiters.ts';
import type { LimitStore } from '../../stores/postgres/limits.ts';
import { claimsOf } from './claims.ts';
import type { GoalSignals } from './goal-signals.ts';
import { limitReached } from './limit-reached.ts';

export interface GoalSlotsDeps {
  readonly known: Pick<KnownLimits, 'of'>;
  readonly limits: Pick<LimitStore, 'of'>;
  readonly places: Pick<LimitPlaces, 'take' | 'giveBack'>;
  readonly waiters: Pick<LimitWaiters, 'of'>;
  readonly signals: GoalSignals;
}

export type SlotsAnswer =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'rejected'; readonly error: ErrorInfo }
  | { readonly outcome: 'waits'; readonly waitingFor: WaitingFor; readonly waitSeconds: number | null };

/** The slots of goals: their places at the limits that apply to them, which they hold from their beginning to their end. */
export interface GoalSlots {
  /** In memory, for most goals nothing but a look-up. */
  mayApply(head: Pick<GoalHead, 'tenant' | 'parentGoalId'>): boolean;
  /** Null: no limit applies. Asking again changes nothing for what is held. */
  ask(head: GoalHead): Promise<SlotsAnswer | null>;
  /**
   * Gives back, or gives up, whatever the goal has, and tells those that can begin now.
   * @param found leaves it what it has asked for since it was found: it has ended, and may have been retried meanwhile
   */
  giveBack(goal: GoalRef, found?: { readonly checkedAt: string }): Promise<void>;
}

export function createGoalSlots({ known, limits, places, waiters, signals }: GoalSlotsDeps): GoalSlots {
  async function cancelReplaced(head: GoalHead, answer: TakeAnswer): Promise<void> {
    if (answer.outcome !== 'waits') return;
    const cancels = answer.replaced.map(({ goal, limit: { name, concurrency } }) =>
      signals.cancel(goal.goalId, `Replaced by ${head.id}: the limit "${name}" allows ${concurrency ?? 0} at once.`),
    );
    await Promise.all(cancels);
  }

  return {
    // A sub-goal runs on the slots of the goal above it: with its own, the two could wait for each other.
    mayApply: ({ tenant, parentGoalId }) => parentGoalId === null && known.of(tenant, 'goal').length > 0,

    async ask(head) {
      // As they are now: what is known in memory may be a second old.
      const ofGoals = (await limits.of(head.tenant)).filter(({ of = 'goal' }) => of === 'goal');
      const claims = claimsOf(ofGoals, { head });
      if (claims.length === 0) return null;
      const goal = { tenant: head.tenant, goalId: head.id };
      const answer = await places.take({ goal, taskId: '', priority: head.priority }, claims);
      await cancelReplaced(head, answer);
      return toSlotsAnswer(answer);
    },

    async giveBack(goal, found) {
      const buckets = await places.giveBack(goal, found);
      const next = await waiters.of(goal.tenant, buckets);
      await signals.slotsFreed(next.map(({ goalId }) => goalId));
    },
  };
}

function toSlotsAnswer(answer: TakeAnswer): SlotsAnswer {
  if (answer.outcome === 'taken') return answer;
  const { waitMs } = answer;
  if (answer.outcome === 'rejected') {
    return { outcome: 'rejected', error: toErrorInfo(limitReached(answer.limit, waitMs)) };
  }
  const { waitingFor } = answer;
  return { outcome: 'waits', waitingFor, waitSeconds: waitMs === null ? null : waitMs / 1_000 };
}
