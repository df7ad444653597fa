import { draftEvent } from '../../domain/draft-event.ts';
import type { EventData, EventDraft, EventType } from '../../domain/schemas/event.ts';

/** A draft dated by this process's clock. */
export const draft = <T extends EventType>(
  type: T,
  data: EventData[T],
  about: { readonly taskId?: string; readonly attempt?: number; readonly at?: Date } = {},
): EventDraft => draftEvent(type, data, { at: new Date(), ...about });
