import { AstraError } from '../../domain/errors.ts';
import type { Scope } from '../../domain/expressions.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { MapTask } from '../../domain/schemas/plan.ts';
import type { InlinePool, InlineResult } from '../tools/inline-pool.ts';
import { sliceMs } from './segment.ts';
import { renderInput } from './tool-call.ts';

/** What the inputs of a map's items are made of. */
export interface MapItems {
  readonly task: MapTask;
  readonly items: readonly Json[];
  readonly scope: Scope;
}

/** What came of each of the `open` items, in order; an input that cannot be evaluated is a failure like any other. */
export async function runItems(
  inlinePool: InlinePool,
  { task, items, scope }: MapItems,
  open: readonly number[],
  deadline: number,
): Promise<readonly (readonly [item: number, result: InlineResult])[]> {
  const { tool, input = {} } = task.task;
  const inputs = open.map((item) => tryRender(input, { ...scope, item: items[item] ?? null, index: item }));
  const rendered = inputs.flatMap((rendering) => ('input' in rendering ? [rendering.input] : []));
  const budgetMs = Math.max(1, deadline - performance.now());
  const answers = (await inlinePool.runMany(tool, rendered, { sliceMs, budgetMs })).values();
  return open.map((item, place) => {
    const rendering = inputs[place];
    const result = rendering && 'error' in rendering ? rendering : answers.next().value;
    return [item, result ?? { deferred: 'not_reached' }];
  });
}

function tryRender(input: JsonObject, scope: Scope): { readonly input: JsonObject } | { readonly error: AstraError } {
  try {
    return { input: renderInput(input, scope) };
  } catch (error) {
    if (error instanceof AstraError) return { error };
    throw error;
  }
}
