import { expect } from 'vitest';
import type { Astra, GoalEvent, GoalSubmission, GoalView, GraphView, TaskView } from '../../../sdk/index.ts';

/** All that the API tells of a goal that has ended. */
export interface FinishedGoal {
  readonly id: string;
  readonly view: GoalView;
  readonly graph: GraphView;
  readonly events: readonly GoalEvent[];
  task(id: string): TaskView;
  /** Types of the events of a task, or with null of the goal itself, in order. */
  typesOf(taskId: string | null): readonly string[];
}

/** Submits a goal and waits for its end. @param drive what happens to it meanwhile */
export async function runGoal(
  astra: Astra,
  submission: GoalSubmission,
  drive?: (goalId: string) => Promise<void>,
): Promise<FinishedGoal> {
  const { id } = await astra.goals.submit(submission);
  await drive?.(id);
  return finishedGoal(astra, id);
}

/** Waits for the goal's end, reads it and checks what holds for every goal that has ended. */
export async function finishedGoal(astra: Astra, id: string): Promise<FinishedGoal> {
  await astra.goals.result(id, { timeoutMs: 120_000 });
  const events: GoalEvent[] = [];
  for await (const event of astra.goals.history(id)) events.push(event);
  const [view, graph] = await Promise.all([astra.goals.get(id), astra.goals.graph(id)]);
  const goal = { id, view, graph, events };
  expectSoundRecord(goal);
  return {
    ...goal,
    task(taskId) {
      const task = graph.tasks.find((each) => each.id === taskId);
      if (!task) throw new Error(`The graph has no task ${taskId}.`);
      return task;
    },
    typesOf: (taskId) => events.filter((event) => event.taskId === taskId).map(({ type }) => type),
  };
}

const finalTypes: readonly string[] = ['task.completed', 'task.failed', 'task.skipped', 'task.cancelled'];
const finalStatuses: readonly string[] = ['completed', 'failed', 'cancelled', 'skipped'];
const statusOf = (type: string): string => type.slice('task.'.length);

/** What holds for every goal that has ended, whatever happened to it and around it. */
export function expectSoundRecord({ view, graph, events }: Pick<FinishedGoal, 'view' | 'graph' | 'events'>): void {
  expect(
    events.map(({ seq }) => seq),
    'seq is gapless from 1',
  ).toEqual(events.map((_, index) => index + 1));
  expect(events.at(0)?.type).toBe('goal.submitted');
  expect(events.at(-1)?.type).toBe(`goal.${view.status}`);
  expect(view.seq, 'the view has seen every event').toBe(events.length);
  if (graph.tasks.length > 0) expect(graph.seq, 'so has the graph').toBe(events.length);

  const endings = finalEvents(events);
  for (const task of graph.tasks) {
    expect(finalStatuses, `${task.id} has ended`).toContain(task.status);
    const ending = endings.get(task.id);
    if (ending) expect(task.status, `${task.id} as its event says`).toBe(statusOf(ending.type));
    else expect(view.status, `${task.id} was left behind by a goal that did not complete`).not.toBe('completed');
    // A task that ran began after everything before it had ended.
    for (const before of ending?.type === 'task.completed' ? task.after : []) {
      expect(endings.get(before)?.seq, `${before} ended before ${task.id}`).toBeLessThan(ending?.seq ?? 0);
    }
  }
  expectProgress(view, graph);
}

/** Each task's only final event, items of maps included. */
/** The final event of each task, of its last run. */
function finalEvents(events: readonly GoalEvent[]): ReadonlyMap<string, GoalEvent> {
  const byTask = new Map<string, GoalEvent>();
  for (const event of events) {
    if (event.type === 'goal.retried') for (const id of event.data.restarted) byTask.delete(id);
    if (event.type === 'plan.amended') {
      for (const id of [...event.data.removed, ...event.data.replaced]) byTask.delete(id);
    }
    if (!finalTypes.includes(event.type)) continue;
    const taskId = event.taskId ?? '';
    expect(byTask.has(taskId), `${taskId} ends once in a run`).toBe(false);
    byTask.set(taskId, event);
  }
  return byTask;
}

function expectProgress({ progress, plan }: GoalView, { tasks }: GraphView): void {
  const count = (status: string): number => tasks.filter((task) => task.status === status).length;
  expect(plan?.taskCount ?? 0).toBe(tasks.length);
  expect(progress).toEqual({
    total: tasks.length,
    completed: count('completed'),
    failed: count('failed'),
    skipped: count('skipped'),
    running: 0,
    waiting: 0,
  });
}
