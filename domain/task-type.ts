import type { TaskOutline } from './plan-outline.ts';

/** How long tasks take, by their type, as those that have completed show: seconds. */
export type KnownSeconds = ReadonlyMap<string, number>;

/**
 * What a task has in common with those by which its time is foretold: the calls of one tool, maps over one tool, sub-goals
 * from one template. Undefined for the others: how long those take says nothing of the next.
 */
export function taskTypeOf({ kind, tool, template }: TaskOutline): string | undefined {
  switch (kind) {
    case 'tool':
      return tool;
    case 'map':
      return tool === undefined ? undefined : `map:${tool}`;
    case 'goal':
      return template === undefined ? undefined : `goal:${template}`;
    default:
      return undefined;
  }
}

/** An item is a call like any other. */
export const itemTypeOf = ({ tool }: TaskOutline): string | undefined => tool;
