import { eventTypes, type EventType } from './schemas/event.ts';

const matches = (pattern: string | undefined, name: string | undefined): boolean => pattern === '*' || pattern === name;

/** The event types that a glob names: `*` is all of them, `goal.*` and `*.failed` those with that half. Empty: none. */
export function typesOfGlob(glob: string): EventType[] {
  if (glob === '*') return [...eventTypes];
  const [subject, verb, ...rest] = glob.split('.');
  if (rest.length > 0) return [];
  return eventTypes.filter((type) => {
    const [ofSubject, ofVerb] = type.split('.');
    return matches(subject, ofSubject) && matches(verb, ofVerb);
  });
}
