import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { renderTemplate } from '../../domain/expressions.ts';
import type { KernelActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import type { TaskScopes } from './task-scope.ts';
import type { Values } from './values.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
}

/** Gathers the goal's output and records that it is completed. An output that cannot be gathered fails the goal. */
export function createCompleteGoal({ recorder, scopes, values }: Deps): KernelActivities['completeGoal'] {
  return async ({ goal }) => {
    const { plan } = await recorder.plan(goal);
    const template = plan.output ?? null;
    try {
      const value = renderTemplate(template, await scopes.of(goal, template));
      const output = await values.toOutput(goal.tenant, value);
      // Whoever asked for the result must be able to download it.
      const created = 'artifact' in output ? [draft('artifact.created', output)] : [];
      await recorder.record(goal, [...created, draft('goal.completed', output)]);
      return { error: null };
    } catch (error) {
      if (!(error instanceof AstraError) || error.code === 'ASTRA_UNAVAILABLE') throw error;
      return { error: toErrorInfo(error) };
    }
  };
}
