import type { GoalSubmission, Json, JsonObject } from '../../../sdk/index.ts';

export type Tasks = NonNullable<GoalSubmission['plan']>['tasks'];
export type Task = Tasks[number];
type ToolTask = Extract<Task, { kind: 'tool' }>;

/** A body of these tasks. */
export const goalOf = (tasks: Tasks, output?: Json, rest: Partial<GoalSubmission> = {}): GoalSubmission => ({
  objective: 'test',
  plan: { tasks, ...(output === undefined ? {} : { output }) },
  ...rest,
});

const call = (id: string, tool: string, input: JsonObject, rest: Partial<ToolTask>): ToolTask => ({
  id,
  kind: 'tool',
  tool,
  input,
  ...rest,
});

/** A pure inline task. @param source a function expression, called with `input` */
export const code = (id: string, source: string, input: Json = null, rest: Partial<ToolTask> = {}): ToolTask =>
  call(id, 'code.javascript', { code: source, input }, rest);

/** Gives back what it is given. */
export const echo = (id: string, input: Json, rest: Partial<ToolTask> = {}): ToolTask =>
  code(id, '(value) => value', input, rest);

export const fetching = (id: string, url: string, rest: Partial<ToolTask> = {}): ToolTask =>
  call(id, 'http.fetch', { url }, rest);

export const shell = (id: string, command: string, rest: Partial<ToolTask> = {}): ToolTask =>
  call(id, 'shell.run', { command }, rest);

export const approval = (id: string, rest: Partial<Extract<Task, { kind: 'approval' }>> = {}): Task => ({
  id,
  kind: 'approval',
  prompt: `May ${id} go on?`,
  ...rest,
});

/** A sub-goal. */
export const child = (id: string, goal: GoalSubmission, rest: Partial<Extract<Task, { kind: 'goal' }>> = {}): Task => ({
  id,
  kind: 'goal',
  // A submission is JSON.
  goal: goal as unknown as JsonObject,
  ...rest,
});
