import type { Approval, GoalView, GraphView, TaskView } from '../index.ts';

// Test data is checked against the types by its fields; only the brand of the id is asserted.
export const goalId = 'gol_0123456789abcdefghij' as GoalView['id'];

export const goalView = (fields: Partial<GoalView> = {}): GoalView => ({
  id: goalId,
  tenant: 'default',
  objective: 'Measure the repository',
  agentId: null,
  priority: 3,
  labels: {},
  input: {},
  template: null,
  parentGoalId: null,
  forkedFrom: null,
  run: 1,
  createdAt: '2025-01-01T00:00:00.000Z',
  seq: 3,
  status: 'running',
  waitingFor: null,
  plan: { revision: 1, source: 'explicit', taskCount: 1 },
  progress: { total: 1, completed: 0, running: 1, failed: 0, skipped: 0, waiting: 0 },
  output: null,
  outputArtifact: null,
  error: null,
  usage: { usd: '0', tokens: 0, seconds: 0 },
  startedAt: '2025-01-01T00:00:00.000Z',
  finishedAt: null,
  links: { self: '', graph: '', events: '', temporal: 'http://temporal.test/goal' },
  ...fields,
});

export const taskView = (fields: Partial<TaskView> = {}): TaskView => ({
  id: 'list',
  title: 'List files',
  kind: 'tool',
  tool: 'shell.run',
  status: 'pending',
  attempt: 1,
  after: [],
  waitingFor: null,
  eta: null,
  startedAt: null,
  finishedAt: null,
  error: null,
  childGoalId: null,
  map: null,
  cancelReceipt: null,
  ...fields,
});

export const graphView = (tasks: TaskView[], fields: Partial<GraphView> = {}): GraphView => ({
  goalId,
  seq: 3,
  revision: 1,
  tasks,
  edges: tasks.flatMap(({ id, after }) => after.map((from) => ({ from, to: id }))),
  criticalPath: [],
  eta: null,
  ...fields,
});

export const approvalView = (fields: Partial<Approval> = {}): Approval => ({
  id: 'apr_x.ok',
  kind: 'task',
  goalId,
  taskId: 'ok',
  agentId: null,
  tool: null,
  prompt: 'Publish?',
  input: null,
  inputArtifact: null,
  map: null,
  change: null,
  status: 'pending',
  required: 1,
  deciders: null,
  votes: [],
  delegations: [],
  editedInputSha256: null,
  editedInput: null,
  requestedAt: '2025-01-01T00:00:00.000Z',
  expiresAt: null,
  onExpiry: 'reject',
  ...fields,
});

/** A durable event's frame. */
export const frame = (seq: number, type = 'task.completed', data: object = {}): string =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ goalId, seq, type, taskId: null, attempt: 1, at: '2025-01-01T00:00:00.000Z', data })}\n\n`;

/** A live-lane frame. */
export const progressFrame = (seq: number, liveId: string, text: string, taskId = 'list'): string =>
  `id: ${seq}-${liveId}\nevent: task.progress\ndata: ${JSON.stringify({ taskId, attempt: 1, stream: 'stdout', text, at: '2025-01-01T00:00:00.000Z' })}\n\n`;
