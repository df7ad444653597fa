import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { Logger } from '../platform/logger.ts';
import type { GoalWaits } from '../stores/postgres/goal-waits.ts';
import { goalWorkflowId, messages } from '../workflows/contract.ts';

interface Deps {
  readonly goalWaits: Pick<GoalWaits, 'takeWaiting'>;
  readonly temporal: () => Promise<Client>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Signals under way. */
const parallel = 16;

/**
 * Tells the goals that wait for one that it has ended. Only ever saves time: a goal that is not told, because this
 * process dies or Temporal is away, looks for itself from time to time.
 */
export function createWakeWaiting({ goalWaits, temporal, logger }: Deps): (ended: GoalRef) => void {
  let client: Promise<Client> | undefined;

  async function tell(goalId: GoalId): Promise<void> {
    client ??= temporal();
    const handle = (await client).workflow.getHandle(goalWorkflowId(goalId));
    await handle.signal(messages.awaitedGoalEnded).catch((error: unknown) => {
      // It was cancelled meanwhile.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  }

  async function wake(ended: GoalRef): Promise<void> {
    const waiting = [...(await goalWaits.takeWaiting(ended))];
    const tellAll = async (): Promise<void> => {
      for (let goalId = waiting.pop(); goalId !== undefined; goalId = waiting.pop()) await tell(goalId);
    };
    await Promise.all(Array.from({ length: parallel }, tellAll));
  }

  return (ended) => {
    wake(ended).catch((err: unknown) => {
      logger.warn(
        { err, ...ended },
        'goals that wait for one that has ended are not told; they will see for themselves',
      );
    });
  };
}
