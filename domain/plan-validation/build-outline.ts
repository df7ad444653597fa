import type { PlanOutline, TaskOutline, ToolBinding } from '../plan-outline.ts';
import type { Task } from '../schemas/plan.ts';
import type { CheckedTask, ToolCatalogue } from './check-plan.ts';

/** The tool call of a task or of a map's items. */
const toolCallOf = (task: Task): Partial<Extract<Task, { kind: 'tool' }>> =>
  task.kind === 'map' ? task.task : task.kind === 'tool' ? task : {};

function outlineTask({ task, dependencies }: CheckedTask): TaskOutline {
  const { tool, timeoutSeconds, retry } = toolCallOf(task);
  return {
    id: task.id,
    kind: task.kind,
    ...(task.title !== undefined && { title: task.title }),
    ...(tool !== undefined && { tool }),
    after: [...dependencies.keys()],
    ...(task.onFailure === 'continue' && { onFailure: task.onFailure }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(retry !== undefined && { retry }),
    ...(task.kind === 'map' && {
      ...(task.maxConcurrency !== undefined && { maxConcurrency: task.maxConcurrency }),
      minSuccess: typeof task.minSuccess === 'number' ? task.minSuccess : 1,
    }),
  };
}

function bindingsOf(tasks: readonly TaskOutline[], catalogue: ToolCatalogue): Record<string, ToolBinding> {
  const names = new Set(tasks.flatMap(({ tool }) => tool ?? []));
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const manifest = catalogue.get(name);
      if (!manifest) return [];
      const { workerClass, execution, effect, timeoutSeconds, compensable } = manifest;
      return [[name, { workerClass, execution, effect, timeoutSeconds, ...(compensable && { compensable }) }]];
    }),
  );
}

/** The shape that the workflow schedules by, of a plan without faults. */
export function buildOutline(
  checked: readonly CheckedTask[],
  catalogue: ToolCatalogue,
  { revision, source }: Pick<PlanOutline, 'revision' | 'source'>,
): PlanOutline {
  const tasks = checked.map(outlineTask);
  return { revision, source, tasks, tools: bindingsOf(tasks, catalogue) };
}
