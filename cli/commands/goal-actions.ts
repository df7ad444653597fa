import { parseJsonObject } from '../read-input.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';

interface CancelFlags {
  readonly reason?: string;
  readonly cascade?: string;
}

export async function cancelGoal(
  session: Session,
  id: string | undefined,
  { reason, cascade }: CancelFlags,
): Promise<undefined> {
  const { goals } = session.astra;
  const options = { reason, signal: session.io.signal };
  if ((id === undefined) === (cascade === undefined)) throw new UsageError('Give the id of a goal, or --cascade <id>');
  if (cascade !== undefined) {
    const answer = await goals.cancelCascade(cascade, options);
    session.print(answer, () => [`${answer.cancelling} goals of ${cascade} are told to stop`]);
  }
  if (id !== undefined) {
    const goal = await goals.cancel(id, options);
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
