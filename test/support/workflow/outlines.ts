import type { PlanOutline, TaskOutline, ToolBinding } from '../../../domain/plan-outline.ts';

const bindings: { readonly [name: string]: ToolBinding } = {
  'test.effect': { workerClass: 'tools', execution: 'activity', effect: 'idempotent', timeoutSeconds: 30 },
  'test.quick': { workerClass: 'tools', execution: 'activity', effect: 'idempotent', timeoutSeconds: 30, quick: true },
  'test.once': { workerClass: 'tools', execution: 'activity', effect: 'once', timeoutSeconds: 1 },
  'test.pure': { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 5 },
};

export function outline(...tasks: readonly TaskOutline[]): PlanOutline {
  return { revision: 1, source: 'explicit', tasks, tools: bindings };
}

type Extra = Partial<Omit<TaskOutline, 'id' | 'after'>>;

export const task = (id: string, after: readonly string[] = [], extra: Extra = {}): TaskOutline => ({
  id,
  kind: 'tool',
  tool: 'test.effect',
  after,
  ...extra,
});

export const pure = (id: string, after: readonly string[] = []): TaskOutline => task(id, after, { tool: 'test.pure' });
