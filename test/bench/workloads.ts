import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { MapTask, Task } from '../../domain/schemas/plan.ts';

/** What a task, or each item of a map, calls. */
export type Call = Pick<MapTask['task'], 'tool' | 'input'>;

/** A script that does nothing: 0.2 ms, nearly all of it QuickJS. */
export const scriptCall: Call = { tool: 'code.javascript', input: { code: '(input) => input', input: 1 } };

/** A tool with an activity of its own that touches nothing: it reads an artifact that exists. */
export const artifactCall = (id: string): Call => ({ tool: 'artifact.read', input: { id, maxBytes: 64 } });

export const taskOf = (call: Call, id: string, after: readonly string[] = []): Task => ({
  id,
  kind: 'tool',
  ...call,
  after: [...after],
});

export const pureTask = (id: string, after: readonly string[] = []): Task => taskOf(scriptCall, id, after);

/** 1,000 tasks in 10 layers of 100; each task depends on three of the layer before. */
export function layersOf(call: Call): GoalSubmission {
  const tasks = numbered(1_000, (index) => {
    const layer = Math.floor(index / 100);
    const place = index % 100;
    const before = layer === 0 ? [] : [place, (place + 1) % 100, (place + 7) % 100];
    return taskOf(
      call,
      `t${index}`,
      before.map((other) => `t${(layer - 1) * 100 + other}`),
    );
  });
  return { objective: '1,000 tasks in 10 layers', plan: { tasks } };
}

/** One task after the other. */
export const chainOf = (length: number, call: Call): GoalSubmission => ({
  objective: `${length} tasks in sequence`,
  plan: { tasks: numbered(length, (index) => taskOf(call, `t${index}`, index === 0 ? [] : [`t${index - 1}`])) },
});

/** All tasks at once. */
export const wideOf = (width: number, call: Call): GoalSubmission => ({
  objective: `${width} tasks side by side`,
  plan: { tasks: numbered(width, (index) => taskOf(call, `t${index}`)) },
});

/** A map of `items` over a list that a task makes. */
export function mapOf(items: number, call: Call): GoalSubmission {
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
    task: { kind: 'tool', ...call },
  };
  return {
    objective: `a map of ${items}`,
    plan: { tasks: [list, each], output: '{{ size(tasks.each.output) }}' },
  };
}

const numbered = (count: number, make: (index: number) => Task): Task[] =>
  Array.from({ length: count }, (_, index) => make(index));
