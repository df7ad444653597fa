import type { GoalRef } from '../../domain/goal-ref.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { KernelActivities, WithSlots } from '../contract.ts';
import type { GoalSlots } from './goal-slots.ts';

interface Deps {
  readonly slots: Pick<GoalSlots, 'mayApply'>;
  readonly takeSlots: KernelActivities['takeSlots'];
}

type Failed = { readonly error: ErrorInfo };

/** Asks for a goal's slots as soon as `record` has recorded it, in the same activity. */
export function createThenSlots({ slots, takeSlots }: Deps) {
  async function ask(goal: GoalRef): Promise<WithSlots | Failed> {
    // Whether it is a sub-goal, which takes none, is looked up only where there are limits.
    if (!slots.mayApply({ tenant: goal.tenant, parentGoalId: null })) return {};
    const taken = await takeSlots({ goal });
    if (taken === null) return {};
    return typeof taken === 'object' && 'error' in taken ? taken : { slots: taken };
  }

  return <A extends { readonly goal: GoalRef }, R extends object>(record: (args: A) => Promise<R>) =>
    async (args: A): Promise<(R & WithSlots) | Failed> => {
      const recorded = await record(args);
      if ('error' in recorded) return recorded;
      const asked = await ask(args.goal);
      return 'error' in asked ? asked : { ...recorded, ...asked };
    };
}
