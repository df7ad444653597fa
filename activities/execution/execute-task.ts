import { ApplicationFailure } from '@temporalio/activity';
import type { ToolActivities } from '../contract.ts';
import type { Attempts } from './attempts.ts';
import { beating } from './beating.ts';

/** An attempt as an activity of its own: the server starts the next one when it is due, unless the workflow wants to. */
export function createExecuteTask(attempts: Attempts): ToolActivities['executeTask'] {
  return async (args) => {
    const ended = await beating(() => attempts.make(args));
    if (ended.status !== 'retrying' || args.single) return ended;
    const { code: type, message } = ended.error;
    // Without its cause, whose text may hold a secret: failures are kept in the history.
    throw ApplicationFailure.create({ type, message, nextRetryDelay: ended.afterSeconds * 1_000 });
  };
}
