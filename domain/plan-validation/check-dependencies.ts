import type { Fault } from '../errors.ts';
import { jsonPointer } from '../json-pointer.ts';
import { limits } from '../limits.ts';
import type { CheckedTask } from './check-plan.ts';
import { findCycles } from './find-cycles.ts';
import { createSuggester } from './nearest-names.ts';

const reportedCycles = 10;
/** Ids shown at each end of a long cycle. */
const shownEnd = 5;

function shownCycle(cycle: readonly string[]): string {
  const left = cycle.length - 2 * shownEnd;
  if (left <= 1) return cycle.join(' → ');
  return [...cycle.slice(0, shownEnd), `… ${left} more …`, ...cycle.slice(-shownEnd)].join(' → ');
}

function checkCycles(tasks: readonly CheckedTask[]): Fault[] {
  const byId = new Map(tasks.map((checked) => [checked.task.id, checked]));
  const dependents = tasks.map(({ task, dependencies }) => ({ id: task.id, dependencies: [...dependencies.keys()] }));
  return findCycles(dependents, reportedCycles).map((cycle) => {
    // The edge that closes it: from the last task but one to the last, which is the first again.
    const [from = '', to = ''] = cycle.slice(-2);
    return {
      pointer: byId.get(from)?.dependencies.get(to) ?? '/tasks',
      message: `tasks depend on themselves: ${shownCycle(cycle)}`,
    };
  });
}

function checkDuplicates(ids: readonly (string | undefined)[]): Fault[] {
  const first = new Map<string, number>();
  return ids.flatMap((id, index) => {
    if (id === undefined) return [];
    const earlier = first.get(id);
    if (earlier === undefined) first.set(id, index);
    return earlier === undefined
      ? []
      : [{ pointer: jsonPointer(['tasks', index, 'id']), message: `"${id}" is the id of /tasks/${earlier} already` }];
  });
}

/** @param ids of all tasks in the plan's order, those of a wrong shape included */
export function checkDependencies(
  tasks: readonly CheckedTask[],
  ids: readonly (string | undefined)[],
  outputReferences: ReadonlyMap<string, string>,
): Fault[] {
  const known = new Set(ids.filter((id) => id !== undefined));
  const suggest = createSuggester(known);
  const unknown = (references: ReadonlyMap<string, string>): Fault[] =>
    [...references].flatMap(([id, pointer]) =>
      known.has(id) ? [] : [{ pointer, message: `the plan has no task "${id}"${suggest(id)}` }],
    );
  const fanIn = tasks.flatMap(({ index, dependencies }) =>
    dependencies.size <= limits.fanIn
      ? []
      : [
          {
            pointer: jsonPointer(['tasks', index]),
            message: `depends on ${dependencies.size} tasks, at most ${limits.fanIn} are allowed; gather them in steps`,
          },
        ],
  );
  return [
    ...checkDuplicates(ids),
    ...tasks.flatMap(({ dependencies }) => unknown(dependencies)),
    ...unknown(outputReferences),
    ...fanIn,
    ...checkCycles(tasks),
  ];
}
