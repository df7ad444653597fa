import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalEvent, GoalSubmission } from '../../sdk/index.ts';
import { runGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, fetching, goalOf, shell, type Tasks } from '../support/e2e/tasks.ts';

const planners = fileURLToPath(new URL('../support/e2e/planners.ts', import.meta.url));
let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1', ASTRA_PLANNER_MODULES: planners } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const asked = (id: string): number => web.paths.filter((path) => path === `/${id}`).length;
const failing = (id: string, after: string[] = []): Tasks[number] =>
  shell(id, 'exit 3', { after, retry: { maxAttempts: 1 } });
const replanning = (planner: string, rest: Partial<GoalSubmission> = {}): Partial<GoalSubmission> => ({
  onTaskFailure: 'replan',
  planner,
  ...rest,
});
const dataOf = <T extends GoalEvent['type']>(events: readonly GoalEvent[], type: T) =>
  events.flatMap((event) => (event.type === type ? [event.data] : []));

describe('a goal that replans', () => {
  test('goes on by the plan that a planner in code has mended', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('first', `${web.url}/first`),
          failing('second', ['first']),
          echo('third', '{{ tasks.second.output }}'),
        ],
        '{{ tasks.third.output }}',
        replanning('mender'),
      ),
    );
    expect(goal.view).toMatchObject({
      status: 'completed',
      plan: { revision: 2 },
      replans: { used: 1, limit: 3 },
      output: { objective: 'test', code: 'ASTRA_TOOL_FAILED', attempt: 1, limit: 3, refusal: null },
    });
    expect(goal.view.output).toMatchObject({ done: [{ id: 'first', output: { status: 200 } }] });
    expect(asked('first')).toBe(1);
    expect(dataOf(goal.events, 'plan.amended')).toMatchObject([
      {
        by: 'planner:mender',
        failedTask: 'second',
        replaced: ['second'],
        reason: expect.stringMatching(/second failed/),
      },
    ]);
    const before = await system.astra.goals.plan(goal.id, { revision: 1 });
    expect(before.plan.tasks[1]).toMatchObject({ tool: 'shell.run' });
  });
});
