/** A task as far as cycles are concerned. */
interface Dependent {
  readonly id: string;
  readonly dependencies: readonly string[];
}

interface Step {
  readonly id: string;
  readonly dependencies: readonly string[];
  passed: number;
}

/**
 * Cycles of dependencies, each as the ids along it with the first repeated at the end: depth-first search (Tarjan's
 * colouring) with a stack of its own, because plans may be 10,000 tasks deep. At most `maxCycles` are looked for, so that
 * it stays O(V + E).
 */
export function findCycles(tasks: readonly Dependent[], maxCycles: number): string[][] {
  const dependenciesOf = new Map(tasks.map((task) => [task.id, task.dependencies]));
  const done = new Set<string>();
  const cycles: string[][] = [];

  for (const { id } of tasks) {
    const steps: Step[] = [];
    const placeOf = new Map<string, number>();
    const enter = (next: string): void => {
      placeOf.set(next, steps.length);
      steps.push({ id: next, dependencies: dependenciesOf.get(next) ?? [], passed: 0 });
    };
    if (!done.has(id)) enter(id);
    for (let step = steps.at(-1); step; step = steps.at(-1)) {
      const next = step.dependencies[step.passed];
      step.passed += 1;
      if (next === undefined) {
        done.add(step.id);
        placeOf.delete(step.id);
        steps.pop();
      } else if (placeOf.has(next)) {
        cycles.push([...steps.slice(placeOf.get(next)).map((passed) => passed.id), next]);
        if (cycles.length === maxCycles) return cycles;
      } else if (!done.has(next)) enter(next);
    }
  }
  return cycles;
}
