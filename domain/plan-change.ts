import canonicalize from 'canonicalize';
import type { Fault } from './errors.ts';
import type { JsonObject } from './json.ts';
import { runOf, type PlanOutline, type TaskOutline } from './plan-outline.ts';
import { faultsError } from './schemas/parse.ts';
import type { GoalFork, PlanChange } from './schemas/plan-change.ts';
import type { Plan, Task } from './schemas/plan.ts';

/** How one revision of a plan differs from another: ids of tasks, in the order of the newer plan. */
export interface PlanDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly replaced: readonly string[];
  readonly kept: readonly string[];
}

/**
 * The plan that a change makes of another one. It is not validated yet.
 * @throws ASTRA_PLAN_INVALID with a fault for each task that is added twice, or removed or replaced and not there
 */
export function changePlan(plan: Plan, { add = [], remove = [], replace = [], plan: whole }: PlanChange): Plan {
  if (whole) return whole;
  const known = new Set(plan.tasks.map(({ id }) => id));
  const faults: Fault[] = [
    ...add.flatMap(({ id }, at) => (known.has(id) ? [fault(`/add/${at}/id`, `the plan has a task "${id}"`)] : [])),
    ...remove.flatMap((id, at) => (known.has(id) ? [] : [fault(`/remove/${at}`, `the plan has no task "${id}"`)])),
    ...replace.flatMap(({ id }, at) =>
      known.has(id) ? [] : [fault(`/replace/${at}/id`, `the plan has no task "${id}"`)],
    ),
  ];
  if (faults.length > 0) throw faultsError(faults, 'ASTRA_PLAN_INVALID', 'The change does not fit the plan');
  const gone = new Set(remove);
  const instead = new Map(replace.map((task) => [task.id, task]));
  const tasks = plan.tasks.filter(({ id }) => !gone.has(id)).map((task) => instead.get(task.id) ?? task);
  return { ...plan, tasks: [...tasks, ...add] };
}

const fault = (pointer: string, message: string): Fault => ({ pointer, message });

/** Which tasks say something else. */
export function diffPlans(before: Plan, after: Plan): PlanDiff {
  const old = new Map(before.tasks.map((task) => [task.id, task]));
  const now = new Set(after.tasks.map(({ id }) => id));
  const isSame = (task: Task): boolean => canonicalize(task) === canonicalize(old.get(task.id));
  const ids = (tasks: readonly Task[]): string[] => tasks.map(({ id }) => id);
  const common = after.tasks.filter(({ id }) => old.has(id));
  return {
    added: ids(after.tasks.filter(({ id }) => !old.has(id))),
    removed: ids(before.tasks.filter(({ id }) => !now.has(id))),
    replaced: ids(common.filter((task) => !isSame(task))),
    kept: ids(common.filter(isSame)),
  };
}

/** The outline of a new revision, in which these tasks begin anew and all others go on as they are. */
export function reviseOutline(outline: PlanOutline, before: PlanOutline, anew: ReadonlySet<string>): PlanOutline {
  const old = new Map(before.tasks.map((task) => [task.id, task]));
  const revise = (task: TaskOutline): TaskOutline => {
    const kept = anew.has(task.id) ? undefined : old.get(task.id);
    const run = kept ? runOf(kept) : outline.revision;
    // Who is being asked about it is still to answer, whatever policy has come to say.
    return { ...task, ...(run > 1 && { run }), ...(kept?.guarded && { guarded: kept.guarded }) };
  };
  return { ...outline, tasks: outline.tasks.map(revise) };
}

/** The plan with other inputs for some of its tasks. @throws ASTRA_PLAN_INVALID for a task that is not there or takes none */
export function editInputs(plan: Plan, inputs: Readonly<Record<string, JsonObject>>): Plan {
  const editable = new Set(plan.tasks.flatMap(({ id, kind }) => (kind === 'wait' ? [] : [id])));
  const faults = Object.keys(inputs)
    .filter((id) => !editable.has(id))
    .map((id) => fault(`/inputs/${id}`, `the plan has no task "${id}" that takes an input`));
  if (faults.length > 0) throw faultsError(faults, 'ASTRA_PLAN_INVALID', 'The inputs do not fit the plan');
  const edit = (task: Task): Task => {
    const input = Object.hasOwn(inputs, task.id) ? inputs[task.id] : undefined;
    if (input === undefined || task.kind === 'wait') return task;
    if (task.kind === 'map') return { ...task, task: { ...task.task, input } };
    return task.kind === 'goal' ? { ...task, goal: { ...task.goal, input } } : { ...task, input };
  };
  return { ...plan, tasks: plan.tasks.map(edit) };
}

/** The plan of a fork: another one, or the source's with other inputs. @throws ASTRA_PLAN_INVALID, as `editInputs` does */
export const forkPlan = (source: Plan, { plan, inputs = {} }: GoalFork): Plan => editInputs(plan ?? source, inputs);
