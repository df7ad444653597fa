import {
  forgetSubject,
  namedSubjects,
  namingOfEvent,
  type Forgetting,
  type NamingText,
} from '../../domain/forget-subject.ts';
import type { Json, JsonObject } from '../../domain/json.ts';

/** What a line of an archived goal names subjects as; null: what it says is the goal's data, whomever it names. */
function namingOf(line: JsonObject): NamingText | null {
  if (line['approval'] !== undefined) return 'approval';
  if (line['plan'] !== undefined) return 'plan';
  // Astra wrote it: see goal-lines.ts.
  const event = line['event'] as { readonly type: string } | undefined;
  return event ? namingOfEvent(event.type) : null;
}

// Each line is an object: see goal-lines.ts.
const parse = (line: string): JsonObject => JSON.parse(line) as JsonObject;

/** Everybody whom the line names. */
export function subjectsOfLine(line: string): ReadonlySet<string> {
  const value = parse(line);
  const text = namingOf(value);
  return text === null ? new Set() : namedSubjects(value, text);
}

/** The line itself when it does not name the subject. */
export function forgetInLine(line: string, forgetting: Forgetting): string {
  if (!line.includes(JSON.stringify(forgetting.subject))) return line;
  const value: Json = parse(line);
  const text = namingOf(value);
  const forgotten = text === null ? value : forgetSubject(value, text, forgetting);
  return forgotten === value ? line : JSON.stringify(forgotten);
}

export const isVote = (line: string): boolean =>
  line.startsWith('{"event":') && line.includes('"type":"approval.decided"');
