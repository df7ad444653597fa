import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Astra, JsonObject, ParkedTask } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

const toolModules = join(import.meta.dirname, '../support/e2e/failing-tools.ts');
let system: System;
let astra: Astra;
beforeAll(async () => {
  system = await startSystem({ env: { ASTRA_TOOL_MODULES: toolModules } });
});
afterAll(() => system.stop());

/** A tenant of its own: bulk calls are about all that a tenant has parked. */
const newTenant = async (): Promise<void> => {
  astra = await system.clientFor({ tenant: `t-${randomUUID().slice(0, 8)}` });
};

interface Flaky {
  readonly failures: number;
  readonly code?: 'ASTRA_TOOL_INPUT_INVALID';
  readonly ms?: number;
  readonly log?: string;
}
const retry = { maxAttempts: 2, initialIntervalSeconds: 0.05 } as const;
const call = (input: Flaky | JsonObject, tool = 'test.flaky') =>
  // What is left out is not in the JSON.
  ({ kind: 'tool', tool, input: input as JsonObject, retry }) as const;
const flaky = (id: string, input: Flaky, rest: Partial<Extract<Task, { kind: 'tool' }>> = {}): Task => ({
  id,
  ...call(input),
  onFailure: 'park',
  ...rest,
});
const logFile = (): string => join(tmpdir(), `flaky-${randomUUID()}`);
const linesOf = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).trim().split('\n');

async function listed(
  count: number,
  filters: Parameters<Astra['tasks']['list']>[0] = {},
): Promise<readonly ParkedTask[]> {
  let items: readonly ParkedTask[] = [];
  await until(async () => {
    items = (await astra.tasks.list(filters)).items;
    return items.length === count;
  }, `${count} are parked`);
  return items;
}

describe('a task whose attempts have all failed', () => {
  beforeAll(newTenant);

  test('is parked with its error, and the goal goes on with what does not depend on it', async () => {
    const goal = await runGoal(
      astra,
      goalOf([flaky('a', { failures: 2 }), echo('beside', 1), echo('after', '{{ tasks.a.output.attempt }}')]),
      async (id) => {
        const parked = await awaitTask(astra, id, 'a', 'parked');
        expect(parked).toMatchObject({
          attempt: 2,
          waitingFor: { kind: 'dead_letter', detail: 'ASTRA_TOOL_FAILED', until: null },
          error: { code: 'ASTRA_TOOL_FAILED', message: 'not at attempt 2' },
        });
        await awaitTask(astra, id, 'beside', 'completed');
        expect(await astra.goals.get(id)).toMatchObject({ status: 'running', progress: { waiting: 2, completed: 1 } });
        expect(await listed(1)).toEqual([
          {
            goalId: id,
            taskId: 'a',
            tool: 'test.flaky',
            title: 'a',
            reason: 'failed',
            detail: 'ASTRA_TOOL_FAILED',
            error: parked.error,
            attempt: 2,
            parkedAt: expect.any(String) as string,
          },
        ]);
        expect(await astra.tasks.retry({}, { dryRun: true })).toEqual({
          matched: 1,
          tasks: [{ goalId: id, taskId: 'a' }],
        });
        expect(await listed(1)).toHaveLength(1);
        expect(await astra.tasks.retry()).toEqual({ matched: 1, tasks: [{ goalId: id, taskId: 'a' }] });
      },
    );
    expect(goal.view.status).toBe('completed');
    expect(goal.task('after').output).toBe(3);
    expect(goal.typesOf('a')).toEqual([
      'task.started',
      'task.retrying',
      'task.parked',
      'task.unparked',
      'task.completed',
    ]);
    expect(await listed(0)).toEqual([]);
  });
});
