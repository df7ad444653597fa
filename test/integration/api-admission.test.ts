import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createAdmissionMetrics } from '../../api/admission/admission-metrics.ts';
import { createAdmission } from '../../api/admission/admission.ts';
import { createBacklog } from '../../api/admission/backlog.ts';
import type { TestApp } from '../../api/test-support/test-app.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createGoalList } from '../../stores/postgres/goal-list.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';
import { parseMetrics } from '../support/e2e/metrics.ts';
import { until } from '../support/until.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, tool } from './record-support.ts';

let api: ApiBench;
let temporal: Client;
beforeAll(async () => {
  api = await createApiBench();
  temporal = new Client({
    connection: await Connection.connect({ address: inject('stack').connection.temporalAddress }),
  });
});
afterAll(async () => {
  await temporal.connection.close();
  await api.stop();
});

const body = { objective: 'wait', plan: { tasks: [{ id: 'w', kind: 'wait', seconds: 0 }] } };
const submit = (app: TestApp): Promise<Response> => app.request('/v1/goals', { method: 'POST', json: body });

async function submitMany(app: TestApp, count: number): Promise<readonly GoalId[]> {
  const accepted: GoalId[] = [];
  while (accepted.length < count) {
    const response = await submit(app);
    expect(response.status).toBe(202);
    accepted.push(((await response.json()) as { id: GoalId }).id);
  }
  return accepted;
}

test('too many goals that wait are refused until they have begun, and nothing that was accepted is lost', async () => {
  const metrics = createMetrics();
  const { onMeasured, onRefused } = createAdmissionMetrics(metrics);
  const backlog = createBacklog({ findBegun: createGoalList(api.worker.pool).findRecorded, onMeasured });
  const app = await api.startApp({ deps: { admission: createAdmission({ backlog, maxQueueSeconds: 1, onRefused }) } });
  const measured = async (name: string): Promise<number> => parseMetrics(await metrics.metrics()).sum(name);

  const accepted = await submitMany(app, 100);
  await until(async () => (await measured('astra_backlog_goals')) === 100, 'the backlog is measured');
  const refusal = await submit(app);
  expect(refusal.status).toBe(429);
  expect(await refusal.json()).toMatchObject({ code: 'ASTRA_OVERLOADED', retryable: true });
  expect(refusal.headers.get('retry-after')).toBe('60');
  expect(await measured('astra_submissions_refused_total')).toBe(1);

  for (const goalId of accepted.slice(0, 90)) {
    await begin(api.worker.recorder, { tenant: api.bench.tenant, goalId }, [tool('w')]);
  }
  await until(() => backlog.size === 10, 'the goals that have begun are counted');
  expect((await submit(app)).status).toBe(202);
  for (const goalId of accepted) {
    const handle = temporal.workflow.getHandle(goalWorkflowId(goalId));
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await handle.terminate();
  }
  backlog.close();
});
