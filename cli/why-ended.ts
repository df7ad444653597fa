import { isAstraError, type GoalStatus } from '@astra/sdk';
import type { Session } from './session.ts';
import { takeItems } from './take-items.ts';
import { clean } from './text/clean.ts';

const maxRejections = 10;

async function* rejections({ astra, io }: Session, goalId: string): AsyncGenerator<string> {
  const filters = { goalId, status: 'rejected', limit: maxRejections } as const;
  for (const { votes } of await takeItems(astra.approvals.all(filters, { signal: io.signal }), maxRejections)) {
    for (const { subject, decision, comment } of votes) {
      if (decision === 'rejected')
        yield `rejected by ${clean(subject)}${comment === null ? '' : `: ${clean(comment)}`}`;
    }
  }
}

async function* cancelReason({ astra, io }: Session, goalId: string): AsyncGenerator<string> {
  const { seq } = await astra.goals.get(goalId, { signal: io.signal });
  // The last event of an ended goal is its end, but for a sub-goal that was compensated: its end bears no reason.
  for await (const { type, data } of astra.goals.events(goalId, { fromSeq: seq, signal: io.signal })) {
    if (type === 'goal.cancelled' && data.reason !== null) yield `reason: ${clean(data.reason)}`;
  }
}

/** What people said who rejected or cancelled the goal; nothing for a goal that came to another end. */
export async function whyEnded(session: Session, goalId: string, status: GoalStatus): Promise<readonly string[]> {
  try {
    if (status === 'cancelled') return await takeItems(cancelReason(session, goalId), 1);
    if (status === 'failed') return await takeItems(rejections(session, goalId), maxRejections);
  } catch (error) {
    // A token may be allowed to read goals and not approvals: the goal is shown all the same.
    if (!isAstraError(error)) throw error;
  }
  return [];
}
