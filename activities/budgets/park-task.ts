import { isGoalScope } from '../../domain/budget-scopes.ts';
import type { Refusal } from '../../stores/postgres/budgets.ts';
import type { ExecuteTaskArgs, ParkedTask, TaskRef } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import type { Recorder } from '../projection/recorder.ts';

interface ParkedAttempt {
  readonly attempt: number;
  readonly refusals: readonly Refusal[];
  readonly unparked: ExecuteTaskArgs['unparked'];
}

/** Records that budgets keep an attempt from beginning, and which of them are used up. Durable when it resolves. */
export async function parkForBudget(
  recorder: Pick<Recorder, 'record'>,
  { goal, taskId }: TaskRef,
  { attempt, refusals, unparked }: ParkedAttempt,
): Promise<ParkedTask> {
  const attempted = attempt - 1;
  const exhausted = refusals.filter((refusal) => refusal.exhausted);
  const [cause] = exhausted.length > 0 ? exhausted : refusals;
  const parked = { reason: 'budget', detail: cause ? describe(cause) : 'budget' } as const;
  await recorder.record(goal, [
    ...exhausted.map(({ scope, unit, limit }) =>
      draft('budget.exhausted', { scope, unit, limit: unit === 'usd' ? limit : Number(limit) }),
    ),
    // It waits for something else now. Whoever asks the same budget again is parked still.
    ...(unparked === 'failed' ? [draft('task.unparked', { reason: unparked }, { taskId, attempt })] : []),
    draft('task.parked', parked, { taskId, attempt: attempted }),
  ]);
  const isPeoples = exhausted.some(({ scope }) => isGoalScope(scope));
  const by = exhausted.length === 0 ? 'room' : isPeoples ? 'people' : 'outside';
  return { status: 'parked', reason: 'budget', attempted, by };
}

const describe = ({ scope, unit, limit, spent, exhausted }: Refusal): string =>
  `${unit} of ${scope}: ${spent} of ${limit} spent${exhausted ? '' : ', the rest reserved by what runs'}`;
