import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { renderTemplate } from '../../domain/expressions.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { Plan } from '../../domain/schemas/plan.ts';
import type { KernelActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import type { TaskScopes, Unrecorded } from './task-scope.ts';
import type { Values } from './values.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
}

/** Gathers the goal's output and records that it is completed. An output that cannot be gathered fails the goal. */
export function createCompleteGoal(deps: Deps): KernelActivities['completeGoal'] {
  const { recorder } = deps;
  return async ({ goal }) => {
    const { plan } = await recorder.plan(goal);
    const drafts = await completionDrafts(deps, goal, plan);
    if ('error' in drafts) return drafts;
    await recorder.record(goal, drafts);
    return { error: null };
  };
}

/** What is recorded of a goal whose tasks have all settled. @throws ASTRA_UNAVAILABLE */
export async function completionDrafts(
  { scopes, values }: Pick<Deps, 'scopes' | 'values'>,
  goal: GoalRef,
  { output: template = null }: Plan,
  unrecorded?: Unrecorded,
): Promise<readonly EventDraft[] | { readonly error: ErrorInfo }> {
  try {
    const value = renderTemplate(template, await scopes.of(goal, template, unrecorded));
    const output = await values.toOutput(goal.tenant, value);
    // Whoever asked for the result must be able to download it.
    const created = 'artifact' in output ? [draft('artifact.created', output)] : [];
    return [...created, draft('goal.completed', output)];
  } catch (error) {
    if (!(error instanceof AstraError) || error.code === 'ASTRA_UNAVAILABLE') throw error;
    return { error: toErrorInfo(error) };
  }
}
