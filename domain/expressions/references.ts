import type { Json } from '../json.ts';
import type { Expression } from './parse-expression.ts';
import type { LocalName } from './program.ts';
import { hasExpression, parseTextTemplate } from './text-template.ts';
import { isList, isMap } from './value.ts';

/** What expressions refer to. */
export interface References {
  /** Ids of the tasks whose outputs they read. */
  readonly tasks: ReadonlySet<string>;
  readonly locals: ReadonlySet<LocalName>;
}

/** Calls `visit` with each string of a JSON value that holds `{{ expressions }}`, and its path. */
export function forEachTemplate(
  json: Json,
  visit: (text: string, path: readonly PropertyKey[]) => void,
  path: readonly PropertyKey[] = [],
): void {
  if (typeof json === 'string') {
    if (hasExpression(json)) visit(json, path);
  } else if (isList(json)) json.forEach((item, index) => forEachTemplate(item, visit, [...path, index]));
  else if (isMap(json)) {
    for (const [key, value] of Object.entries(json)) forEachTemplate(value, visit, [...path, key]);
  }
}

/** The expressions in a text, in order. @throws ASTRA_EXPRESSION_FAILED */
export function expressionsIn(text: string): readonly Expression[] {
  return parseTextTemplate(text).filter((part) => typeof part !== 'string');
}

/**
 * What all the `{{ expressions }}` in a JSON value refer to.
 * @throws ASTRA_EXPRESSION_FAILED
 */
export function referencesOf(json: Json): References {
  const tasks = new Set<string>();
  const locals = new Set<LocalName>();
  forEachTemplate(json, (text) => {
    for (const expression of expressionsIn(text)) {
      for (const id of expression.tasks) tasks.add(id);
      for (const name of expression.locals) locals.add(name);
    }
  });
  return { tasks, locals };
}
