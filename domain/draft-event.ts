import type { EventData, EventDraft, EventType } from './schemas/event.ts';

/** A draft of an event. @param about the attempt is the first unless given */
export function draftEvent<T extends EventType>(
  type: T,
  data: EventData[T],
  about: { readonly at: Date; readonly taskId?: string | null; readonly attempt?: number },
): EventDraft {
  const { at, taskId = null, attempt = 1 } = about;
  // TypeScript cannot see that one T pairs type and data, which is what EventDraft says.
  return { type, taskId, attempt, at: at.toISOString(), data } as EventDraft;
}
