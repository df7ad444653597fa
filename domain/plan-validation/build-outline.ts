import { riskOf, type PlanOutline, type TaskOutline, type ToolBinding } from '../plan-outline.ts';
import type { GoalTask, Task } from '../schemas/plan.ts';
import { templateCallSchema } from '../schemas/goal.ts';
import type { CheckedTask, ToolCatalogue } from './check-plan.ts';

/** The tool call of a task or of a map's items. */
const toolCallOf = (task: Task): Partial<Extract<Task, { kind: 'tool' }>> =>
  task.kind === 'map' ? task.task : task.kind === 'tool' ? task : {};

const namedTemplate = templateCallSchema.pick({ name: true }).strip();

/** A name that is an expression is none yet. */
const templateOf = ({ goal }: GoalTask): Pick<TaskOutline, 'template'> => {
  const { data: call } = namedTemplate.safeParse(goal['template']);
  return call ? { template: call.name } : {};
};

function ofKind(task: Task): Partial<TaskOutline> {
  if (task.kind === 'goal') return templateOf(task);
  if (task.kind === 'wait') return task.seconds === undefined ? {} : { seconds: task.seconds };
  if (task.kind !== 'map') return {};
  return {
    ...(task.maxConcurrency !== undefined && { maxConcurrency: task.maxConcurrency }),
    minSuccess: typeof task.minSuccess === 'number' ? task.minSuccess : 1,
  };
}

function outlineTask({ task, dependencies }: CheckedTask, catalogue: ToolCatalogue): TaskOutline {
  const call = toolCallOf(task);
  const { tool, timeoutSeconds, retry } = call;
  return {
    id: task.id,
    kind: task.kind,
    ...(task.title !== undefined && { title: task.title }),
    ...(tool !== undefined && { tool }),
    after: [...dependencies.keys()],
    ...(task.onFailure !== undefined && task.onFailure !== 'fail' && { onFailure: task.onFailure }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(retry !== undefined && { retry }),
    ...(riskOf(call, catalogue.get(tool ?? '')) === 'high' && { risk: 'high' }),
    ...ofKind(task),
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
  const tasks = checked.map((task) => outlineTask(task, catalogue));
  return { revision, source, tasks, tools: bindingsOf(tasks, catalogue) };
}
