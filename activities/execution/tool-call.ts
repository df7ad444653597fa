import { evaluateCondition, renderTemplate, type Scope } from '../../domain/expressions.ts';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { MapTask, ToolTask } from '../../domain/schemas/plan.ts';
import type { PlannedTask, TaskScopes, Unrecorded } from './task-scope.ts';

/** A tool call whose expressions are evaluated. */
export interface ToolCall {
  readonly tool: string;
  readonly input: JsonObject;
}

/**
 * Evaluates the condition and the input of a tool task, or the input of a map's item.
 * @returns null when the condition is false
 * @throws ASTRA_EXPRESSION_FAILED
 */
export async function prepareCall(
  scopes: TaskScopes,
  goal: GoalRef,
  { task, item }: PlannedTask,
  unrecorded?: Unrecorded,
): Promise<ToolCall | null> {
  if (task.kind === 'tool') return prepareTask(scopes, goal, task, unrecorded);
  if (task.kind === 'map' && item !== null) return prepareItem(scopes, goal, task, item);
  throw new AstraError('ASTRA_INTERNAL', `A task of kind ${task.kind} calls no tool.`);
}

async function prepareTask(
  scopes: TaskScopes,
  goal: GoalRef,
  { tool, input = {}, when }: ToolTask,
  unrecorded: Unrecorded | undefined,
): Promise<ToolCall | null> {
  const scope = await scopes.of(goal, when === undefined ? input : [input, `{{ ${when} }}`], unrecorded);
  if (when !== undefined && !evaluateCondition(when, scope)) return null;
  return { tool, input: renderInput(input, scope) };
}

/** The map's own condition was evaluated when it was opened. */
async function prepareItem(scopes: TaskScopes, goal: GoalRef, map: MapTask, index: number): Promise<ToolCall> {
  const { tool, input = {} } = map.task;
  const [items, scope] = await Promise.all([scopes.itemsOf(goal, map), scopes.of(goal, input)]);
  return { tool, input: renderInput(input, { ...scope, item: items[index] ?? null, index }) };
}

/** @throws ASTRA_EXPRESSION_FAILED */
export function renderInput(input: JsonObject, scope: Scope): JsonObject {
  // Rendering keeps the shape: an object stays an object.
  return renderTemplate(input, scope) as JsonObject;
}
