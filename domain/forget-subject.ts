import type { Json } from './json.ts';

export interface Forgetting {
  readonly subject: string;
  /** Stands where the subject stood, so that votes of one subject still count as one. */
  readonly pseudonym: string;
}

/** Fields that name subjects, in approvals and in their events. */
const naming: ReadonlySet<string> = new Set(['subject', 'subjects', 'from', 'to', 'delegator']);
/** What was asked about: a goal's data, whatever it names. */
const given: ReadonlySet<string> = new Set(['input', 'editedInput', 'map']);
/** What the subject wrote beside its vote. */
const comment = 'comment';

/**
 * An approval, or an event about one, without the subject: its name is replaced wherever it stands, and its comment goes.
 * Everything else is as it was, and a value that names the subject nowhere is given back itself.
 */
export function forgetSubject(value: Json, forgetting: Forgetting): Json {
  if (isList(value)) {
    const items = value.map((item) => forgetSubject(item, forgetting));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, field]): [string, Json] => {
    if (given.has(key)) return [key, field];
    return [key, naming.has(key) ? withoutName(field, forgetting) : forgetSubject(field, forgetting)];
  });
  if (entries.every(([key, field]) => field === value[key])) return value;
  const isAuthor = value['subject'] === forgetting.subject || value['from'] === forgetting.subject;
  return Object.fromEntries(isAuthor ? entries.map(([key, field]) => [key, key === comment ? null : field]) : entries);
}

function withoutName(field: Json, forgetting: Forgetting): Json {
  if (isList(field)) {
    return field.includes(forgetting.subject) ? field.map((item) => withoutName(item, forgetting)) : field;
  }
  return field === forgetting.subject ? forgetting.pseudonym : forgetSubject(field, forgetting);
}

/** Everybody that an approval, or an event about one, names. */
export function namedSubjects(value: Json, isName = false): string[] {
  if (isList(value)) return value.flatMap((item) => namedSubjects(item, isName));
  if (typeof value === 'string') return isName ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => (given.has(key) ? [] : namedSubjects(field, naming.has(key))));
}

/** Array.isArray does not know readonly ones. */
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
