import { parseJsonObject } from '../read-input.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface CancelFlags {
  readonly reason?: string;
  readonly cascade?: string;
  readonly compensate?: boolean;
}

export async function cancelGoal(
  session: Session,
  id: string | undefined,
  { reason, cascade, compensate }: CancelFlags,
): Promise<undefined> {
  const { goals } = session.astra;
  const { signal } = session.io;
  if ((id === undefined) === (cascade === undefined)) throw new UsageError('Give the id of a goal, or --cascade <id>');
  if (cascade !== undefined) {
    if (compensate) throw new UsageError('--compensate is for one goal, not for a cascade');
    const answer = await goals.cancelCascade(cascade, { reason, signal });
    session.print(answer, () => [`${answer.cancelling} goals of ${cascade} are told to stop`]);
  }
  if (id !== undefined) {
    const goal = await goals.cancel(id, { reason, compensate, signal });
    session.print(goal, () => [`${goal.id} ${goal.status}`]);
  }
}

export async function sendEvent(
  session: Session,
  id: string,
  name: string,
  { data }: { readonly data?: string },
): Promise<undefined> {
  const event = data === undefined ? { name } : { name, data: parseJsonObject(data, '--data') };
  await session.astra.goals.sendEvent(id, event, { signal: session.io.signal });
  session.print({ goalId: id, ...event }, () => [`${id} has got the event ${name}`]);
}
