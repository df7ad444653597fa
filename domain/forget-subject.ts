import type { Json } from './json.ts';
import type { EventType } from './schemas/event.ts';

export interface Forgetting {
  readonly subject: string;
  /** Stands where the subject stood, so that votes of one subject still count as one. */
  readonly pseudonym: string;
}

/** Fields that name subjects, by what they stand in; everything may name deciders besides. */
const naming = {
  /** An approval, or an event about one. */
  approval: new Set(['subject', 'from', 'to']),
  /** An event about a change that somebody made. */
  change: new Set(['by']),
  /** A plan, or what has plans or rules. */
  plan: new Set<string>(),
} as const satisfies Record<string, ReadonlySet<string>>;
export type NamingText = keyof typeof naming;

const deciders = 'deciders';
const decidersNaming: ReadonlySet<string> = new Set(['subjects']);
/** What was asked about, or given to a task or template: a goal's data, whatever it names. */
const given: ReadonlySet<string> = new Set(['input', 'editedInput', 'map', 'params']);
/** What the subject wrote beside its vote. */
const comment = 'comment';

/** Types of events that say who changed a goal. */
export const changeTypes = ['plan.amended', 'goal.retried'] as const satisfies readonly EventType[];

/** What an event of the type names subjects as; null: it names nobody. */
export function namingOfEvent(type: string): NamingText | null {
  if (type.startsWith('approval.')) return 'approval';
  return changeTypes.some((each) => each === type) ? 'change' : null;
}

/**
 * The value without the subject: its name is replaced wherever it stands, and its comment goes. Everything else is as it
 * was, and a value that names the subject nowhere is given back itself.
 */
export const forgetSubject = (value: Json, text: NamingText, { subject, pseudonym }: Forgetting): Json =>
  rename(value, naming[text], (name) => (name === subject ? pseudonym : name));

/** Everybody whom the value names. */
export function namedSubjects(value: Json, text: NamingText): ReadonlySet<string> {
  const names = new Set<string>();
  rename(value, naming[text], (name) => {
    names.add(name);
    return name;
  });
  return names;
}

type Rename = (name: string) => string;

function rename(value: Json, fields: ReadonlySet<string>, to: Rename): Json {
  if (isList(value)) return sameOr(value, (item) => rename(item, fields, to));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, field]): [string, Json] => {
    if (given.has(key)) return [key, field];
    if (key === deciders) return [key, rename(field, decidersNaming, to)];
    return [key, fields.has(key) ? renameNames(field, fields, to) : rename(field, fields, to)];
  });
  if (entries.every(([key, field]) => field === value[key])) return value;
  const isAuthor = entries.some(([key, field]) => (key === 'subject' || key === 'from') && field !== value[key]);
  return Object.fromEntries(isAuthor ? entries.map(([key, field]) => [key, key === comment ? null : field]) : entries);
}

function renameNames(field: Json, fields: ReadonlySet<string>, to: Rename): Json {
  if (isList(field)) return sameOr(field, (item) => renameNames(item, fields, to));
  return typeof field === 'string' ? to(field) : rename(field, fields, to);
}

/** The list itself when no item changes. */
function sameOr(list: readonly Json[], change: (item: Json) => Json): Json {
  const items = list.map(change);
  return items.some((item, index) => item !== list[index]) ? items : list;
}

/** Array.isArray does not know readonly ones. */
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
