import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, goalOf } from '../support/e2e/tasks.ts';
import { connectTraces, type Traces } from '../support/e2e/traces.ts';
import { until } from '../support/until.ts';

let system: System;
let traces: Traces;
beforeAll(async () => {
  system = await startSystem();
  traces = await connectTraces(system.env);
});
afterAll(async () => {
  await traces[Symbol.asyncDispose]();
  await system.stop();
});

const goals = 120;
/** From the archive's first object on: while it is written, while rows go, while workers are told, at the end. */
const killsAfterMs = [0, 150, 1_000, 2_500];

test(`${goals} goals whose worker is killed ${killsAfterMs.length} times while it archives and deletes them are archived whole, and gone`, async () => {
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const astra = await system.clientFor({ tenant, scope: 'goals:read goals:write admin' });
  const submission = (index: number) =>
    goalOf([echo('large', `${'x'.repeat(9_000)}${index % 10}`), echo('small', index)]);
  const ids: string[] = [];
  for (let index = 0; index < goals; index += 1) ids.push((await astra.goals.submit(submission(index))).id);
  const events = new Map<string, number>();
  for (const id of ids) {
    expect(await astra.goals.result(id)).toMatchObject({ status: 'completed' });
    events.set(id, (await astra.goals.get(id)).seq);
  }

  await astra.retention.set({ completed: { days: 0, archive: true } });
  const archived = async (): Promise<number> => (await traces.find(`archive/${tenant}/`)).length;
  for (const [kill, afterMs] of killsAfterMs.entries()) {
    const before = await archived();
    // An archive under way, or all of them there.
    await until(
      async () => (await archived()) > before || before >= 2 * goals,
      `the sweep goes on after kill ${kill}`,
      {
        timeoutSeconds: 60,
      },
    );
    await sleep(afterMs);
    const pid = system.pid('worker');
    system.kill('worker');
    await until(() => ![pid, null].includes(system.pid('worker')), 'the worker is started again');
  }

  const onlyArchive = (trace: string): boolean => /^archived_goals$|^s3 archive/.test(trace);
  await until(async () => (await traces.find(...ids)).every(onlyArchive), 'only the archive knows the goals', {
    timeoutSeconds: 120,
  });
  for (const id of ids) {
    const { artifacts } = await astra.archive.get(id);
    expect(artifacts).toHaveLength(1);
    const lines = (await (await astra.archive.download(id)).text()).trim().split('\n');
    expect(lines.filter((line) => line.startsWith('{"event":'))).toHaveLength(events.get(id) ?? 0);
    expect(lines.filter((line) => line.startsWith('{"task":'))).toHaveLength(2);
    const bytes = await astra.archive.downloadArtifact(id, artifacts[0]?.id ?? '');
    expect((await bytes.text()).length).toBe(9_003);
  }
  // Nothing refers to them any more.
  expect(await traces.find(`artifacts/${tenant}/`)).toEqual([]);
});
