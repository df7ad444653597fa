import { isInline, type PlanOutline } from './plan-outline.ts';
import { createTaskGraph, type SettledStatus, type TaskGraph } from './task-graph.ts';

/** The graph of a goal's plan. The activity that begins a goal and its workflow take the same first segment from it. */
export const createGoalGraph = (
  outline: PlanOutline,
  settled: Readonly<Record<string, SettledStatus>> = {},
  started: readonly string[] = [],
): TaskGraph => createTaskGraph(outline, settled, { isInline: (task) => isInline(outline, task), started });
