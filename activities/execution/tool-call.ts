import { evaluateCondition, renderTemplate } from '../../domain/expressions.ts';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { FreshOutputs, PlannedTask, TaskScopes } from './task-scope.ts';

/** A tool call whose expressions are evaluated. */
export interface ToolCall {
  readonly tool: string;
  readonly input: JsonObject;
}

/**
 * Evaluates a task's `when` and input.
 * @returns null when its condition is false
 * @throws ASTRA_EXPRESSION_FAILED
 */
export async function prepareCall(
  scopes: TaskScopes,
  goal: GoalRef,
  { task, item }: PlannedTask,
  options: { readonly fresh?: FreshOutputs } = {},
): Promise<ToolCall | null> {
  const call = task.kind === 'map' ? task.task : task;
  if (call.kind !== 'tool') throw new AstraError('ASTRA_INTERNAL', `A task of kind ${task.kind} calls no tool.`);
  const { input = {} } = call;
  // A map's own condition was evaluated when it was opened.
  const when = task.kind === 'tool' ? task.when : undefined;
  const scope = await scopes.of(goal, when === undefined ? input : [input, `{{ ${when} }}`], options);
  if (when !== undefined && !evaluateCondition(when, scope)) return null;
  const items = task.kind === 'map' && item !== null ? await scopes.itemsOf(goal, task) : null;
  const itemScope = items && item !== null ? { ...scope, item: items[item] ?? null, index: item } : scope;
  return { tool: call.tool, input: asObject(renderTemplate(input, itemScope)) };
}

function asObject(value: Json): JsonObject {
  // Rendering keeps the shape: an object stays an object.
  return value as JsonObject;
}
