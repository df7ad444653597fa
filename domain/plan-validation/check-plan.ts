import type { Fault } from '../errors.ts';
import { jsonPointer } from '../json-pointer.ts';
import { tryParse } from '../schemas/parse.ts';
import { planSchema, type Plan, type Task } from '../schemas/plan.ts';
import type { ToolManifest } from '../schemas/tool.ts';
import { expressionSites } from '../task-expressions.ts';
import { checkDependencies } from './check-dependencies.ts';
import { checkExpressions } from './check-expressions.ts';
import { checkSubGoal } from './check-sub-goal.ts';
import { createSuggester } from './nearest-names.ts';

/** The tools that plans may name. */
export type ToolCatalogue = ReadonlyMap<string, ToolManifest>;

export interface PlanContext {
  readonly catalogue: ToolCatalogue;
  /** Is it a template's plan, whose expressions may use `params`? */
  readonly allowParams: boolean;
  /** How many goals stand around this one's plan. */
  readonly depth: number;
}

/** A task whose shape is right, with all that it depends on. */
export interface CheckedTask {
  readonly index: number;
  readonly task: Task;
  /** Id of each dependency, written or found in expressions → where it is. */
  readonly dependencies: Map<string, string>;
}

export interface CheckedPlan {
  /** Absent when the shape is wrong. */
  readonly plan?: Plan;
  readonly tasks: readonly CheckedTask[];
  readonly faults: readonly Fault[];
}

/** The tasks that no fault of shape lies in, by their place in the plan. */
function wellFormedTasks(input: unknown, faults: readonly Fault[]): [number, Task][] {
  const malformed = new Set(faults.map(({ pointer }) => /^[/]tasks(?:[/](\d+))?/.exec(pointer)?.[1] ?? pointer));
  const tasks = rawTasks(input);
  if (malformed.has('/tasks') || malformed.has('')) return [];
  return [...tasks.entries()].flatMap(([index, task]): [number, Task][] =>
    // The schema, which changes nothing, found no fault in this task.
    malformed.has(String(index)) ? [] : [[index, task as Task]],
  );
}

function rawTasks(input: unknown): readonly unknown[] {
  const tasks = typeof input === 'object' && input !== null && 'tasks' in input ? input.tasks : undefined;
  return Array.isArray(tasks) ? tasks : [];
}

/** Also the ids of tasks that are wrong otherwise, so that one fault does not bring forth others. */
function idsOf(input: unknown): readonly (string | undefined)[] {
  return rawTasks(input).map((task) =>
    typeof task === 'object' && task !== null && 'id' in task && typeof task.id === 'string' ? task.id : undefined,
  );
}

/** What is written in `after` first; of a task in both, the written place. */
function dependenciesOf(
  task: Task,
  path: readonly PropertyKey[],
  references: ReadonlyMap<string, string>,
): Map<string, string> {
  const dependencies = new Map(task.after?.map((id, at) => [id, jsonPointer([...path, 'after', at])]));
  for (const [id, pointer] of references) if (!dependencies.has(id)) dependencies.set(id, pointer);
  return dependencies;
}

function checkTool(
  task: Task,
  path: readonly PropertyKey[],
  catalogue: ToolCatalogue,
  suggest: (name: string) => string,
): Fault[] {
  if (task.kind !== 'tool' && task.kind !== 'map') return [];
  const [name, place] = task.kind === 'tool' ? [task.tool, ['tool']] : [task.task.tool, ['task', 'tool']];
  if (catalogue.has(name)) return [];
  return [{ pointer: jsonPointer([...path, ...place]), message: `unknown tool "${name}"${suggest(name)}` }];
}

/**
 * Finds all that is wrong with a plan, in one pass: tasks whose own shape is right are looked at though others' are
 * wrong. O(V + E).
 */
export function checkPlan(input: unknown, context: PlanContext): CheckedPlan {
  const { data: plan, faults: ofShape } = tryParse(planSchema, input);
  const faults: Fault[] = [...ofShape];
  const suggestTool = createSuggester(context.catalogue.keys());
  const allowed = { params: context.allowParams };

  const tasks = (plan ? [...plan.tasks.entries()] : wellFormedTasks(input, ofShape)).map(
    ([index, task]): CheckedTask => {
      const path = ['tasks', index];
      const expressions = checkExpressions(expressionSites(task), path, allowed);
      faults.push(...checkTool(task, path, context.catalogue, suggestTool), ...expressions.faults);
      if (task.kind === 'goal') faults.push(...checkSubGoal(task.goal, [...path, 'goal'], { context, checkPlan }));
      return { index, task, dependencies: dependenciesOf(task, path, expressions.references) };
    },
  );

  const output = checkExpressions(
    [{ path: ['output'], perItem: false, content: { template: plan?.output ?? null } }],
    [],
    allowed,
  );
  faults.push(...output.faults, ...checkDependencies(tasks, idsOf(input), output.references));
  return { ...(plan && { plan }), tasks, faults };
}
