import type { TaskOutline } from './plan-outline.ts';

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

const nothing: TaskCost = { usd: 0, seconds: 0 };

/**
 * Takes tasks to cost what they did before, and those that never ran what others of their tool did on average, or nothing
 * where nothing is known. The seconds are those of the longest chain among the tasks. O(V + E).
 * @param tasks of the plan; those that `willRun` names are counted
 */
export function estimateRun(
  tasks: readonly TaskOutline[],
  willRun: ReadonlySet<string>,
  costOf: (taskId: string) => TaskCost | undefined,
): Estimate {
  const known = tasks.flatMap(({ id, tool }) => {
    const cost = costOf(id);
    return cost && tool !== undefined ? [{ tool, cost }] : [];
  });
  const averages = new Map(
    [...Map.groupBy(known, ({ tool }) => tool)].map(([tool, ofTool]) => [
      tool,
      average(ofTool.map(({ cost }) => cost)),
    ]),
  );
  const counted = tasks.filter(({ id }) => willRun.has(id));
  const costs = new Map(counted.map(({ id, tool = '' }) => [id, costOf(id) ?? averages.get(tool) ?? nothing]));
  const usd = [...costs.values()].reduce((sum, cost) => sum + cost.usd, 0);
  return { usd: String(rounded(usd, 1e6)), seconds: rounded(longestChainSeconds(counted, costs), 1e3) };
}

const rounded = (value: number, scale: number): number => Math.round(value * scale) / scale;

const average = (costs: readonly TaskCost[]): TaskCost => ({
  usd: costs.reduce((sum, { usd }) => sum + usd, 0) / costs.length,
  seconds: costs.reduce((sum, { seconds }) => sum + seconds, 0) / costs.length,
});

/** By Kahn's order. */
function longestChainSeconds(tasks: readonly TaskOutline[], costs: ReadonlyMap<string, TaskCost>): number {
  const waitsFor = new Map(tasks.map(({ id, after }) => [id, after.filter((other) => costs.has(other)).length]));
  const dependents = new Map<string, string[]>(tasks.map(({ id }) => [id, []]));
  for (const { id, after } of tasks) for (const other of after) dependents.get(other)?.push(id);
  const startsAt = new Map(tasks.map(({ id }) => [id, 0]));
  const order = tasks.flatMap(({ id }) => (waitsFor.get(id) === 0 ? [id] : []));
  let longest = 0;
  const valueOf = (map: ReadonlyMap<string, number>, id: string): number => map.get(id) ?? 0;
  // The loop also visits what is pushed while it runs.
  for (const id of order) {
    const endsAt = valueOf(startsAt, id) + (costs.get(id) ?? nothing).seconds;
    longest = Math.max(longest, endsAt);
    for (const dependent of dependents.get(id) ?? []) {
      startsAt.set(dependent, Math.max(valueOf(startsAt, dependent), endsAt));
      waitsFor.set(dependent, valueOf(waitsFor, dependent) - 1);
      if (waitsFor.get(dependent) === 0) order.push(dependent);
    }
  }
  return longest;
}
