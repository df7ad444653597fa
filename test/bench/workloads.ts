import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Plan, Task } from '../../domain/schemas/plan.ts';

const pure = (id: string, after: readonly string[] = []): Task => ({
  id,
  kind: 'tool',
  tool: 'code.javascript',
  input: { code: '(input) => input', input: 1 },
  after: [...after],
});

/** A tool with an activity of its own that touches nothing: it reads an artifact that exists. */
const effect = (id: string, artifactId: string, after: readonly string[] = []): Task => ({
  id,
  kind: 'tool',
  tool: 'artifact.read',
  input: { id: artifactId, maxBytes: 64 },
  after: [...after],
});

const goal = (objective: string, plan: Plan): GoalSubmission => ({ objective, plan });

/** 1,000 tasks in 10 layers of 100; each task depends on three of the layer before. */
export function layered(make: (id: string, after: readonly string[]) => Task): GoalSubmission {
  const tasks = Array.from({ length: 1_000 }, (_, index) => {
    const layer = Math.floor(index / 100);
    const place = index % 100;
    const before = layer === 0 ? [] : [place, (place + 1) % 100, (place + 7) % 100];
    return make(
      `t${index}`,
      before.map((other) => `t${(layer - 1) * 100 + other}`),
    );
  });
  return goal('1,000 tasks in 10 layers', { tasks });
}

/** A map of `items` over a list that a task makes. */
export function wideMap(items: number, tool: 'inline' | { readonly artifactId: string }): GoalSubmission {
  const list: Task = {
    id: 'list',
    kind: 'tool',
    tool: 'code.javascript',
    input: { code: '(n) => Array.from({ length: n }, (_, i) => i)', input: items },
  };
  const each: Task = {
    id: 'each',
    kind: 'map',
    over: 'tasks.list.output',
    maxConcurrency: 100,
    task:
      tool === 'inline'
        ? { kind: 'tool', tool: 'code.javascript', input: { code: '(i) => i + 1', input: '{{ item }}' } }
        : { kind: 'tool', tool: 'artifact.read', input: { id: tool.artifactId, maxBytes: 64 } },
  };
  return goal(`a map of ${items}`, { tasks: [list, each], output: '{{ size(tasks.each.output) }}' });
}

/** One task after the other. */
export function chain(length: number, make: (id: string, after: readonly string[]) => Task): GoalSubmission {
  const tasks = Array.from({ length }, (_, index) => make(`t${index}`, index === 0 ? [] : [`t${index - 1}`]));
  return goal(`${length} tasks in sequence`, { tasks });
}

export const pureTask = pure;
export const effectTask =
  (artifactId: string) =>
  (id: string, after: readonly string[]): Task =>
    effect(id, artifactId, after);
