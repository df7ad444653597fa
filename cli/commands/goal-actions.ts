import { parseJsonObject } from '../read-input.ts';
import type { Session } from '../session.ts';

export async function cancelGoal(
  session: Session,
  id: string,
  { reason, compensate }: { readonly reason?: string; readonly compensate?: boolean },
): Promise<undefined> {
  const goal = await session.astra.goals.cancel(id, { reason, compensate, signal: session.io.signal });
  session.print(goal, () => [`${goal.id} ${goal.status}`]);
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
