import type { EventData, EventType } from '../../../domain/schemas/event.ts';
import type { GoalEvent } from '../../../sdk/index.ts';

/** What the events of a type say, in order. */
export const dataOf = <T extends EventType>(events: readonly GoalEvent[], type: T): readonly EventData[T][] =>
  // An event's type says what its data is, which TypeScript cannot follow through a parameter.
  events.filter((event) => event.type === type).map((event) => event.data as EventData[T]);
