import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectDir } from '../../infra/local/paths.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, goalOf, shell, type Task } from '../support/e2e/tasks.ts';
import { createTemporalCli } from '../support/e2e/temporal-cli.ts';
import { until } from '../support/until.ts';

/** What the guide's commands print of a goal that lives. */
interface Check {
  readonly prints: readonly RegExp[];
  /** What the command does to the goal. */
  readonly ends?: 'completed' | 'cancelled';
}

const checks: Readonly<Record<string, Check>> = {
  'Find the goals of a tenant': { prints: [/Running +goal\/$GOAL +goalWorkflow/] },
  'Find goals by label': { prints: [/Running +goal\/$GOAL +goalWorkflow/] },
  'Find the goals of a template': { prints: [/Running +goal\/$GOAL +goalWorkflow/] },
  'Count goals by how they stand': { prints: [/Total: \d+/, /values: Running/] },
  'See what a goal is doing': {
    prints: [/StaticSummary +"Take the payment"/, /Type +executeTask/, /AstraTenant/, /Attempt +1/],
  },
  'Ask a goal for its progress': { prints: [/"completed":1,.*"running":2,.*"total":4,.*"status":"running"/] },
  'Read a goal’s progress as people do': {
    prints: [/\*\*1 of 4 tasks completed\*\*/, /\| 2 \| 1 \| 0 \| 0 \|/, /cancelGoal/, /decideApproval/, /goalView/],
  },
  'Read a goal’s history': { prints: [/WorkflowExecutionStarted/, /ActivityTaskScheduled/] },
  'See whether workers take the work': { prints: [/UNVERSIONED +workflow +\S+ +\d+ second/, /UNVERSIONED +activity/] },
  'Deliver the event that a goal waits for': { prints: [/Signal workflow succeeded/], ends: 'completed' },
  'Pause a goal': { prints: [/Signal workflow succeeded/] },
  'Resume a goal': { prints: [/Signal workflow succeeded/] },
  'Cancel a goal, with a reason on record': { prints: [/Signal workflow succeeded/], ends: 'cancelled' },
  'Cancel a goal as any workflow': { prints: [/Canceled workflow/], ends: 'cancelled' },
  'Cancel many goals at once': { prints: [/Started batch/], ends: 'cancelled' },
};

/** Heading → command, in the guide's order. */
const guide = readFileSync(join(projectDir, 'docs/guides/temporal-cli.md'), 'utf8').replaceAll("'s ", '’s ');
const sections = guide
  .split(/^## /m)
  .slice(1)
  .map((section) => {
    const heading = section.slice(0, section.indexOf('\n'));
    const blocks = [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command = '']) => command.trim());
    return { heading, blocks };
  });

let system: System;
let temporal: Awaited<ReturnType<typeof createTemporalCli>>;
beforeAll(async () => {
  system = await startSystem();
  temporal = await createTemporalCli(system.env);
  await system.astra.templates.put({
    name: 'nightly',
    description: 'Waits for a payment while a command runs.',
    params: {},
    objective: 'Take the payment',
    plan: { tasks },
  });
});
afterAll(async () => {
  const status = ['accepted', 'running'] as const;
  for (const ours of [{ labels: { team: 'payments' } }, { template: 'nightly' }]) {
    for await (const { id } of system.astra.goals.all({ status, ...ours })) await system.astra.goals.cancel(id);
  }
  await system.astra.templates.delete('nightly');
  await system.stop();
});

const tasks: Task[] = [
  echo('first', 1),
  { id: 'hook', kind: 'wait', event: 'payment.received' },
  shell('command', 'sleep 2', { title: 'Sleep on it' }),
  echo('last', '{{ tasks.hook.output.usd }}', { after: ['command'] }),
];

/** A goal that the guide's queries find: one task done, two under way, one to come. */
async function liveGoal(seconds: number): Promise<string> {
  const plan = goalOf(tasks.map((task) => (task.id === 'command' ? shell('command', `sleep ${seconds}`) : task)));
  const labels = { team: 'payments', batch: 'nightly' };
  const { id } = await system.astra.goals.submit({ ...plan, objective: 'Take the payment', labels });
  await awaitTask(system.astra, id, 'command', 'running');
  await awaitTask(system.astra, id, 'hook', 'running');
  return id;
}

test('the guide has a command in each section, ten at least, and each has its test', () => {
  expect(sections.map(({ heading }) => heading)).toEqual(Object.keys(checks));
  expect(sections.length).toBeGreaterThanOrEqual(10);
  for (const { heading, blocks } of sections) expect(blocks, heading).toHaveLength(1);
});

test.each(sections.map(({ heading, blocks }) => [heading, blocks[0] ?? ''] as const))(
  '%s',
  async (heading, command) => {
    const { prints, ends } = checks[heading] ?? { prints: [] };
    const goalId = await goalFor(heading, ends);
    const patterns = prints.map(({ source }) => new RegExp(source.replaceAll('$GOAL', goalId)));
    // The server's lists lag behind. What changes a goal is done once.
    await until(
      async () => {
        const { stdout, stderr } = await temporal(command, { GOAL: goalId });
        const missing = patterns.filter((pattern) => !pattern.test(stdout + stderr));
        if (ends !== undefined) expect(missing, stdout + stderr).toEqual([]);
        return missing.length === 0;
      },
      `"${command}" prints ${patterns.join(' and ')}`,
      { timeoutSeconds: 10 },
    );
    if (ends === undefined) return;
    const goal = await finishedGoal(system.astra, goalId);
    expect(goal.view.status).toBe(ends);
    if (ends === 'completed') expect((await system.astra.goals.task(goalId, 'last')).output).toBe('3.50');
    if (command.includes('"reason"')) expect(goal.events.at(-1)?.data).toEqual({ reason: 'the customer left' });
  },
);

let standing: Promise<string> | undefined;
/** Commands that only look share a goal. */
async function goalFor(heading: string, ends: Check['ends']): Promise<string> {
  if (heading.includes('template')) {
    const { id } = await system.astra.templates.run('nightly');
    return id;
  }
  if (ends === undefined) return (standing ??= liveGoal(120));
  const id = await liveGoal(ends === 'completed' ? 1 : 120);
  if (!heading.includes('many')) return id;
  // A batch takes what the index shows.
  const query = `AstraLabels IN ('batch=nightly') AND ExecutionStatus = 'Running'`;
  const list = `temporal workflow list --query "${query}"`;
  await until(async () => (await temporal(list, {})).stdout.includes(id), 'the index shows the goal');
  return id;
}
