import { ApplicationFailure, activityInfo, Context } from '@temporalio/activity';
import { runOf } from '../../domain/plan-outline.ts';
import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { backoffSeconds, retryOf } from '../../domain/retry.ts';
import type { Logger } from '../../platform/logger.ts';
import type { CompensationStore } from '../../stores/postgres/compensations.ts';
import type { CompensationCall, ToolActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { beating } from './beating.ts';
import { clearedCall } from './cleared-call.ts';
import { recordCompensation } from './record-compensation.ts';
import type { TaskScopes } from './task-scope.ts';
import type { ToolRunner } from './tool-runner.ts';
import type { Values } from './values.ts';
import { whileAway } from './while-away.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly compensations: Pick<CompensationStore, 'isRecorded'>;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly runner: ToolRunner;
  readonly logger: Pick<Logger, 'error'>;
}

/**
 * Takes back what one task has done. What came of it is recorded before it is told, and a record is not made twice; an attempt
 * that died before its record is made again, with the same idempotency key.
 */
export function createCompensateTask(deps: Deps): ToolActivities['compensateTask'] {
  return (call) =>
    beating(async () => {
      const { cancellationSignal: stop } = Context.current();
      if (await whileAway(() => deps.compensations.isRecorded(call.goal, call.taskId), stop)) return;
      const error = await attempt(deps, call, stop);
      await whileAway(() => recordCompensation(deps.recorder, call, { error }), stop);
    });
}

/** @returns the failure that no attempt follows; null: it is done. @throws a failure that one follows */
async function attempt(deps: Deps, call: CompensationCall, stop: AbortSignal) {
  try {
    await compensate(deps, call, stop);
    return null;
  } catch (error) {
    // Nothing cancels a compensation: the worker shuts down, and another one goes on.
    if (stop.aborted) throw stop.reason;
    if (!(error instanceof AstraError)) {
      deps.logger.error({ err: error, ...call.goal, taskId: call.taskId }, 'a compensation failed unexpectedly');
    }
    const info = toErrorInfo(error);
    const number = activityInfo().attempt;
    if (!info.retryable || number >= call.maxAttempts) return info;
    const planned = await whileAway(() => deps.scopes.find(call.goal, call.taskId), stop);
    const nextRetryDelay = backoffSeconds(retryOf(planned.outline, undefined), number) * 1_000;
    // Without its cause, whose text may hold a secret: failures are kept in the history.
    throw ApplicationFailure.create({ type: info.code, message: info.message, nextRetryDelay });
  }
}

async function compensate(
  deps: Deps,
  { goal, taskId, timeoutSeconds }: CompensationCall,
  stop: AbortSignal,
): Promise<void> {
  const { recorder, scopes, values, runner } = deps;
  const prepared = await whileAway(async () => {
    // Inputs are not recorded, save for those that people approved: made again of the same plan and outputs they are the same.
    const planned = await scopes.find(goal, taskId);
    const call = await clearedCall(deps, goal, planned);
    if (!call) throw new AstraError('ASTRA_INTERNAL', `Task "${taskId}" has completed without being wanted.`);
    const run = runOf(planned.outline);
    return {
      ...call,
      run,
      output: await values.toValue(goal.tenant, (await recorder.outputs(goal, [taskId]))[taskId]),
    };
  }, stop);
  const about = {
    ref: { goal, taskId },
    run: prepared.run,
    attempt: activityInfo().attempt,
    timeoutSeconds,
    cancelled: stop,
  };
  await runner.compensate(prepared, about);
}
