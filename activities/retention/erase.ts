import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { OpenDeletion } from '../../stores/postgres/deletions.ts';
import type { RetentionActivities } from '../contract.ts';
import { applyRetention } from './apply-retention.ts';
import type { Erasure, RetentionDeps } from './deps.ts';
import { eraseGoal } from './erase-goal.ts';
import { eraseSubject } from './erase-subject.ts';
import { eraseTenant } from './erase-tenant.ts';

const heartbeatMs = 2_000;
/** Longer waits are the workflow's, and so is what comes after so much work. */
const longestWaitSeconds = 10;
const longestWorkMs = 60_000;

/**
 * Works at a deletion. All that it knows stands in the stores, so whoever dies at whichever line, the next attempt goes on
 * from there; two at once do the same things twice.
 */
export function createErase(deps: RetentionDeps): RetentionActivities['erase'] {
  return async ({ deletionId }) => {
    const { heartbeat, cancellationSignal: signal, client } = Context.current();
    const beat = setInterval(() => heartbeat(), heartbeatMs);
    const executions = deps.executionsOf(client);
    const count: Erasure['count'] = (removed) => deps.deletions.count(deletionId, removed);
    const onProgress = (): void => signal.throwIfAborted();
    const begun = performance.now();
    try {
      for (;;) {
        onProgress();
        const deletion = await deps.deletions.open(deletionId);
        if (!deletion) return { done: true, waitSeconds: 0 };
        const waitSeconds = await step({ ...deps, deletion, executions, count, onProgress });
        if (waitSeconds === null) {
          await complete(deps, deletionId);
          return { done: true, waitSeconds: 0 };
        }
        if (waitSeconds > longestWaitSeconds || performance.now() - begun > longestWorkMs) {
          return { done: false, waitSeconds };
        }
        await sleep(waitSeconds * 1_000, undefined, { signal });
      }
    } finally {
      clearInterval(beat);
    }
  };
}

/** @returns seconds until it is worth going on; null: nothing is left to do */
function step(erasure: Erasure): Promise<number | null> {
  const { deletion } = erasure;
  const of = <Request extends OpenDeletion['request']>(request: Request): Erasure<Request> => ({
    ...erasure,
    deletion: { ...deletion, request },
  });
  const { request } = deletion;
  switch (request.kind) {
    case 'goal':
      return eraseGoal(of(request));
    case 'tenant':
      return eraseTenant(erasure);
    case 'subject':
      return eraseSubject(of(request));
    case 'retention':
      return applyRetention(erasure);
  }
}

/** The audit: a row, and a line in the log. Neither names anybody. */
async function complete({ deletions, logger }: RetentionDeps, deletionId: string): Promise<void> {
  const deletion = await deletions.complete(deletionId);
  if (!deletion) return;
  const { id, kind, requestedAt, finishedAt, removed } = deletion;
  logger.info({ deletionId: id, kind, requestedAt, finishedAt, ...removed }, 'a deletion is completed');
}
