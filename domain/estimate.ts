import { remainingPathLengths } from './critical-path.ts';
import type { TaskOutline } from './plan-outline.ts';
import { taskTypeOf, type KnownSeconds } from './task-type.ts';

/** What running tasks takes: US dollars as a decimal string, and seconds from the first to the last. */
export interface Estimate {
  readonly usd: string;
  readonly seconds: number;
}

/** What a task has cost, in US dollars, and how long it took when it last ended. */
export interface TaskCost {
  readonly usd: number;
  readonly seconds: number;
}

interface CostSources {
  /** What the goal's own task has cost; undefined: it has not run. */
  readonly costOf: (taskId: string) => TaskCost | undefined;
  /** What other goals have taught; nothing unless given. */
  readonly known?: KnownSeconds;
}

/**
 * Takes tasks to cost what they did before, and those that never ran what others of their tool did on average. Where the
 * goal has had none such, they take as long as tasks of their type did in other goals, and cost nothing. The seconds are
 * those of the longest chain among the tasks. O(V + E).
 * @param tasks of the plan; those that `willRun` names are counted
 */
export function estimateRun(
  tasks: readonly TaskOutline[],
  willRun: ReadonlySet<string>,
  { costOf, known = new Map() }: CostSources,
): Estimate {
  const spent = tasks.flatMap(({ id, tool }) => {
    const cost = costOf(id);
    return cost && tool !== undefined ? [{ tool, cost }] : [];
  });
  const averages = new Map(
    [...Map.groupBy(spent, ({ tool }) => tool)].map(([tool, ofTool]) => [
      tool,
      average(ofTool.map(({ cost }) => cost)),
    ]),
  );
  const counted = tasks.filter(({ id }) => willRun.has(id));
  const expected = (task: TaskOutline): TaskCost => ({ usd: 0, seconds: known.get(taskTypeOf(task) ?? '') ?? 0 });
  const costs = new Map(
    counted.map((task) => [task.id, costOf(task.id) ?? averages.get(task.tool ?? '') ?? expected(task)]),
  );
  const usd = [...costs.values()].reduce((sum, cost) => sum + cost.usd, 0);
  const chains = remainingPathLengths(
    counted,
    counted.map(({ id }) => costs.get(id)?.seconds ?? 0),
  );
  const seconds = chains.reduce((longest, length) => Math.max(longest, length), 0);
  return { usd: String(rounded(usd, 1e6)), seconds: rounded(seconds, 1e3) };
}

const rounded = (value: number, scale: number): number => Math.round(value * scale) / scale;

const average = (costs: readonly TaskCost[]): TaskCost => ({
  usd: costs.reduce((sum, { usd }) => sum + usd, 0) / costs.length,
  seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0) / costs.length,
});
