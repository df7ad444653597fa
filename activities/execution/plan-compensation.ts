import { createHash } from 'node:crypto';
import { compensationOrder } from '../../domain/compensation-order.ts';
import { compensationFailed } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { childGoalId } from '../../domain/ids.ts';
import { bindingOf, runOf, type PlanOutline, type TaskOutline } from '../../domain/plan-outline.ts';
import { compensationAttempts, timeoutSecondsOf } from '../../domain/retry.ts';
import type { CompensationStore, RanTask } from '../../stores/postgres/compensations.ts';
import type { CompensationCall, KernelActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { recordCompensation } from './record-compensation.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly compensations: Pick<CompensationStore, 'ran'>;
}

/** How far a goal's compensation has come. */
interface Standing {
  /** What may be taken back now, side by side; while there is something the rest is not counted to its end. */
  readonly calls: readonly CompensationCall[];
  readonly compensated: number;
  /** The tasks and items that could not be: `pay`, `each.3`, `child/pay` in a sub-goal. */
  readonly failed: readonly string[];
}

const nothing: Standing = { calls: [], compensated: 0, failed: [] };

/** Calls at once: three events each in the history of the workflow that makes them. */
const mostCalls = 500;

/**
 * What is to be compensated next of a goal whose tasks have all stopped, its sub-goals included, whether they were cancelled
 * with it or had completed before. It follows from the record alone, so whoever asks may have died before.
 */
export function createPlanCompensation(deps: Deps): KernelActivities['planCompensation'] {
  return async ({ goal }) => {
    const { calls, compensated, failed } = await standingOfGoal(deps, goal);
    const total = compensated + failed.length;
    return { calls: calls.slice(0, mostCalls), error: failed.length > 0 ? compensationFailed(failed, total) : null };
  };
}

async function standingOfGoal(deps: Deps, { tenant, goalId }: GoalRef): Promise<Standing> {
  const outline = (await deps.recorder.standing({ tenant, goalId }))?.outline;
  const goal = { tenant, goalId, ...(outline && { revision: outline.revision }) };
  const order = outline ? compensationOrder(outline) : [];
  if (!outline || order.length === 0) return nothing;
  const ids = order.flat().map(({ id }) => id);
  const ran = Map.groupBy(await deps.compensations.ran(goal, ids), ({ planTaskId }) => planTaskId);
  const done: Standing[] = [];
  for (const wave of order) {
    const standings: Standing[] = [];
    for (const task of wave) {
      const rows = ran.get(task.id);
      if (rows) standings.push(await standingOfTask(deps, { goal, outline, task, rows }));
    }
    done.push(...standings);
    if (standings.some(({ calls }) => calls.length > 0)) break;
  }
  return sum(done);
}

interface RanInGoal {
  readonly goal: GoalRef;
  readonly outline: PlanOutline;
  readonly task: TaskOutline;
  /** The task's own and, of a map, its completed items'. */
  readonly rows: readonly RanTask[];
}

function standingOfTask(deps: Deps, ran: RanInGoal): Promise<Standing> | Standing {
  const { task, rows } = ran;
  if (task.kind === 'tool') return standingOfRows(ran, rows);
  return task.kind === 'map' ? standingOfMap(deps, ran) : standingOfSubGoal(deps, ran);
}

function standingOfRows({ goal, outline, task }: RanInGoal, rows: readonly RanTask[]): Standing {
  const binding = bindingOf(outline, task);
  const completed = rows.filter(({ status, attempt }) => status === 'completed' && attempt > 0);
  const having = (what: RanTask['compensation']): readonly string[] =>
    completed.filter(({ compensation }) => compensation === what).map(({ taskId }) => taskId);
  const call = {
    goal,
    workerClass: binding?.workerClass ?? 'tools',
    timeoutSeconds: timeoutSecondsOf(task, binding),
    maxAttempts: compensationAttempts(task, binding),
  };
  return {
    calls: having(null).map((taskId) => ({ ...call, taskId })),
    compensated: having('compensated').length,
    failed: having('failed'),
  };
}

async function standingOfMap({ recorder }: Deps, ran: RanInGoal): Promise<Standing> {
  const { task, rows } = ran;
  const items = rows.filter(({ taskId }) => taskId !== task.id);
  const standing = standingOfRows(ran, items);
  await close(recorder, ran, standing, { items: standing.compensated });
  return standing;
}

async function standingOfSubGoal(deps: Deps, ran: RanInGoal): Promise<Standing> {
  const { goal, task } = ran;
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  const child = {
    tenant: goal.tenant,
    goalId: childGoalId(goal.goalId, task.id, { digest, run: task.retries?.run ?? runOf(task) }),
  };
  const standing = await standingOfGoal(deps, child);
  await close(deps.recorder, ran, standing);
  return { ...standing, failed: standing.failed.map((id) => `${task.id}/${id}`) };
}

/** Once nothing is left in a map or sub-goal, its own task says what came of them. */
async function close(
  recorder: Recorder,
  { goal, task, rows }: RanInGoal,
  { calls, compensated, failed }: Standing,
  counted: { readonly items?: number } = {},
): Promise<void> {
  const own = rows.find(({ taskId }) => taskId === task.id);
  const isOpen = own?.compensation === null && (own.status === 'completed' || counted.items !== undefined);
  if (calls.length > 0 || compensated + failed.length === 0 || !isOpen) return;
  const error = failed.length > 0 ? compensationFailed(failed, compensated + failed.length) : null;
  await recordCompensation(recorder, { goal, taskId: task.id }, { error, ...counted });
}

const sum = (standings: readonly Standing[]): Standing => ({
  calls: standings.flatMap(({ calls }) => calls),
  compensated: standings.reduce((total, { compensated }) => total + compensated, 0),
  failed: standings.flatMap(({ failed }) => failed),
});

/** Null: the goal was cancelled before it had one. */
