import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { draftEvent } from '../../domain/draft-event.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { EventData, EventType } from '../../domain/schemas/event.ts';
import type { Task } from '../../domain/schemas/plan.ts';
import { loadConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { readState, readTasks } from '../../stores/postgres/read-goal.ts';
import { createParts, type WorkerParts } from '../../worker/parts.ts';

let worker: WorkerParts;
beforeAll(async () => {
  const logger = createLogger({ name: 'test', level: 'fatal' });
  worker = await createParts({
    config: loadConfig(inject('stack').env),
    logger,
    metrics: createMetrics(),
    threads: 1,
    temporal: () => Promise.reject(new Error('no goal of this test waits for another')),
  });
  await worker.announceTools();
});
afterAll(() => worker.close());

async function begun(...tasks: Task[]): Promise<GoalRef> {
  // As the API makes them.
  const goalId = `gol_${randomBytes(15).toString('hex')}` as GoalId;
  const goal = { tenant: 'pause', goalId };
  const submission = { objective: 'pause', plan: { tasks } };
  const submittedAt = new Date().toISOString();
  await worker.activities.beginGoal({ goal, submission, submittedAt, parentGoalId: null, bodyHash: null, depth: 0 });
  return goal;
}
const record = <T extends EventType>(goal: GoalRef, type: T, data: EventData[T], at = new Date(), taskId?: string) =>
  worker.activities.recordEvents({ goal, events: [draftEvent(type, data, { at, ...(taskId && { taskId }) })] });
const shell: Task = { id: 'a', kind: 'tool', tool: 'shell.run', input: { command: 'true' } };
const asked = { by: 'request', running: 'hold', shiftDeadlines: true, reason: null } as const;
const seconds = (count: number): number => count * 1_000;

test('a task is parked with the attempts that the record knows of, once', async () => {
  const goal = await begun(shell);
  await record(goal, 'task.started', {}, new Date(), 'a');
  const park = () =>
    worker.activities.parkTask({ task: { goal, taskId: 'a' }, reason: 'paused', detail: 'lunch', attempted: 0 });
  expect(await park()).toEqual({ status: 'parked', attempted: 1 });
  expect(await park()).toEqual({ status: 'parked', attempted: 1 });
  const state = await readState(worker.pool, goal);
  const [task] = await readTasks(worker.pool, goal, ['a']);
  expect(task?.state).toMatchObject({ status: 'parked', attempt: 1, waitingFor: { kind: 'paused', detail: 'lunch' } });
  expect(state?.progress).toMatchObject({ running: 0, waiting: 1 });
});

test('a task that has ended is not parked', async () => {
  const goal = await begun(shell);
  await record(goal, 'task.completed', { output: 1, startedAt: new Date().toISOString() }, new Date(), 'a');
  const task = { goal, taskId: 'a' };
  expect(await worker.activities.parkTask({ task, reason: 'paused', detail: '', attempted: 1 })).toEqual({
    status: 'completed',
  });
});

test('a wait and an approval that are opened again have the time that a pause gave them', async () => {
  const goal = await begun(
    { id: 'nap', kind: 'wait', seconds: 60 },
    { id: 'ok', kind: 'approval', prompt: 'May I?', expiresSeconds: 60 },
  );
  await worker.activities.openTask({ goal, taskId: 'nap' });
  await worker.activities.openTask({ goal, taskId: 'ok' });
  const now = Date.now();
  await record(goal, 'goal.paused', asked, new Date(now));
  expect(await readState(worker.pool, goal)).toMatchObject({ status: 'paused', pause: asked });
  await record(goal, 'goal.resumed', { by: 'request' }, new Date(now + seconds(600)));
  expect(await readState(worker.pool, goal)).toMatchObject({ status: 'running' });

  const wait = await worker.activities.openTask({ goal, taskId: 'nap' });
  expect('wait' in wait && 'seconds' in wait.wait && wait.wait.seconds).toBeGreaterThan(600);
  const opened = await worker.activities.openTask({ goal, taskId: 'ok' });
  expect('approval' in opened && opened.approval.expiresSeconds).toBeGreaterThan(600);
});
