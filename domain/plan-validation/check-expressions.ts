import { AstraError, type Fault } from '../errors.ts';
import { expressionsIn, forEachTemplate, parseExpression, type Expression, type LocalName } from '../expressions.ts';
import { jsonPointer } from '../json-pointer.ts';
import type { ExpressionSite } from '../task-expressions.ts';

export interface CheckedExpressions {
  readonly faults: Fault[];
  /** Id of each task referred to → pointer of the first reference. */
  readonly references: Map<string, string>;
}

interface Allowed {
  readonly params: boolean;
}

/** Parses all expressions of some sites; `path` leads to the task, or whatever the sites belong to. */
export function checkExpressions(
  sites: readonly ExpressionSite[],
  path: readonly PropertyKey[],
  allowed: Allowed,
): CheckedExpressions {
  const checked: CheckedExpressions = { faults: [], references: new Map() };
  for (const site of sites) {
    const note = (pointer: string, parse: () => readonly Expression[]): void =>
      noteExpressions(checked, site, { pointer, parse, allowed });
    const base = [...path, ...site.path];
    if ('expression' in site.content) {
      const { expression } = site.content;
      note(jsonPointer(base), () => [parseExpression(expression)]);
    } else {
      forEachTemplate(site.content.template, (text, inner) =>
        note(jsonPointer([...base, ...inner]), () => expressionsIn(text)),
      );
    }
  }
  return checked;
}

const placeOf: Readonly<Record<LocalName, string>> = {
  params: 'the plan of a template',
  item: 'the input of a map’s task',
  index: 'the input of a map’s task',
  payload: 'the params of an inbound webhook',
  headers: 'the params of an inbound webhook',
};

function isInScope(name: LocalName, site: ExpressionSite, allowed: Allowed): boolean {
  if (name === 'params') return allowed.params;
  return site.perItem && (name === 'item' || name === 'index');
}

interface Place {
  readonly pointer: string;
  readonly parse: () => readonly Expression[];
  readonly allowed: Allowed;
}

function noteExpressions(checked: CheckedExpressions, site: ExpressionSite, { pointer, parse, allowed }: Place): void {
  try {
    for (const { tasks, locals } of parse()) {
      for (const id of tasks) if (!checked.references.has(id)) checked.references.set(id, pointer);
      for (const name of locals) {
        if (isInScope(name, site, allowed)) continue;
        checked.faults.push({ pointer, message: `"${name}" is in scope only in ${placeOf[name]}` });
      }
    }
  } catch (error) {
    if (!(error instanceof AstraError)) throw error;
    checked.faults.push({ pointer, message: error.message });
  }
}
