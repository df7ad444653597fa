import type { EventData, EventDraft, EventType } from '../../domain/schemas/event.ts';

/** A draft dated now. */
export function draft<T extends EventType>(
  type: T,
  data: EventData[T],
  about: { readonly taskId?: string; readonly attempt?: number; readonly at?: Date } = {},
): EventDraft {
  const { taskId = null, attempt = 1, at = new Date() } = about;
  // TypeScript cannot see that one T pairs type and data, which is what EventDraft says.
  return { type, taskId, attempt, at: at.toISOString(), data } as EventDraft;
}
