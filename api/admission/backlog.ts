import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';

/**
 * The goals that this process has started and no worker has begun. A goal is begun when its first event is in the record.
 *
 * The record is asked because Temporal's own figure cannot steer admission: `approximateBacklogCount` is up to 5 s old
 * and leaves sticky queues out. All API processes feed one queue, so what each sees of its own goals is a fair sample:
 * they share nothing. A process that dies forgets its goals; the next one finds out within seconds how fast they begin.
 */
export interface Backlog {
  /** Goals that wait, also those of one tenant, and how many tenants have any. */
  readonly size: number;
  sizeOf(tenant: string): number;
  readonly tenants: number;
  /** How many goals begin each second; null while none waits so long that it would tell of the workers' speed. */
  readonly perSecond: number | null;
  /** Counts a goal that is about to be started; false when it is counted already. */
  add(goal: GoalRef): boolean;
  /** The goal was not started after all. */
  remove(goal: GoalRef): void;
  close(): void;
}

export interface BacklogOptions {
  /** Those of the goals of which anything is recorded. While it fails, all of them count as waiting. */
  readonly findBegun: (goals: readonly GoalRef[]) => Promise<ReadonlySet<GoalId>>;
  /** Called after each measurement, for metrics. */
  readonly onMeasured?: (backlog: Pick<Backlog, 'size' | 'perSecond'>) => void;
}

const measureAfterMs = 1_000;
/** Goals begin about in the order of their start, so it is enough to ask for the oldest. */
const maxAsked = 2_000;
/** A goal that was terminated before it began is never recorded. */
const forgetAfterMs = 600_000;
const maxSize = 50_000;
/** Of a new measurement in the mean: a change of speed is known after some three seconds. */
const weight = 0.3;

/** Asks the record once a second, and only while goals wait. */
export function createBacklog({ findBegun, onMeasured }: BacklogOptions): Backlog {
  const waiting = createWaitingGoals();
  let perSecond: number | null = null;
  let measuredAt = 0;
  let timer: NodeJS.Timeout | undefined;

  async function measure(): Promise<void> {
    const asked = waiting.oldest(maxAsked);
    const begun = await findBegun(asked.map(({ goal }) => goal));
    const now = performance.now();
    const remaining = asked.filter(({ goal }) => !begun.has(goal.goalId));
    for (const { goal } of asked) if (begun.has(goal.goalId)) waiting.remove(goal);
    for (const { goal, since } of remaining) if (now - since > forgetAfterMs) waiting.remove(goal);
    const speed = (begun.size * 1_000) / (now - measuredAt);
    // When none has waited since the measurement before, more could have begun than there were.
    const isBusy = remaining.some(({ since }) => since <= measuredAt);
    if (!isBusy) perSecond = null;
    else perSecond = perSecond === null ? speed : perSecond + weight * (speed - perSecond);
    measuredAt = now;
  }

  function measureSoon(): void {
    timer = setTimeout(() => {
      const next = (): void => {
        onMeasured?.({ size: waiting.size, perSecond });
        timer = undefined;
        if (waiting.size > 0) measureSoon();
      };
      measure().then(next, next);
    }, measureAfterMs).unref();
  }

  return {
    get size() {
      return waiting.size;
    },
    get tenants() {
      return waiting.tenants;
    },
    get perSecond() {
      return perSecond;
    },
    sizeOf: waiting.sizeOf,
    remove: waiting.remove,
    add(goal) {
      const since = performance.now();
      if (waiting.size >= maxSize || !waiting.add({ goal, since })) return false;
      if (timer === undefined) {
        measuredAt = since;
        measureSoon();
      }
      return true;
    },
    close() {
      clearTimeout(timer);
    },
  };
}

interface WaitingGoal {
  readonly goal: GoalRef;
  readonly since: number;
}

/** In the order of their adding, counted by tenant. */
function createWaitingGoals() {
  const goals = new Map<GoalId, WaitingGoal>();
  const byTenant = new Map<string, number>();
  const sizeOf = (tenant: string): number => byTenant.get(tenant) ?? 0;

  return {
    get size() {
      return goals.size;
    },
    get tenants() {
      return byTenant.size;
    },
    sizeOf,
    oldest: (count: number): readonly WaitingGoal[] => [...goals.values()].slice(0, count),
    add(added: WaitingGoal): boolean {
      const { tenant, goalId } = added.goal;
      if (goals.has(goalId)) return false;
      goals.set(goalId, added);
      byTenant.set(tenant, sizeOf(tenant) + 1);
      return true;
    },
    remove({ tenant, goalId }: GoalRef): void {
      if (!goals.delete(goalId)) return;
      const left = sizeOf(tenant) - 1;
      if (left > 0) byTenant.set(tenant, left);
      else byTenant.delete(tenant);
    },
  };
}
