import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { scenarios } from '../support/workflow/scenarios/index.ts';
import { workflowBundle } from '../support/workflow/run-goal.ts';

const histories = join(import.meta.dirname, 'histories');
const root = join(import.meta.dirname, '../..');
const quiet = new DefaultLogger('ERROR');

beforeAll(() => {
  Runtime.install({ logger: quiet });
});

/** Replays one kept history. @returns what the replay was refused for; null when it was accepted */
async function replay(bundle: WorkflowBundle, file: string): Promise<Error | null> {
  const history = historyFromJSON(JSON.parse(await readFile(join(histories, file), 'utf8')));
  const workflowId = `replay/${file}`;
  for await (const result of Worker.runReplayHistories({ workflowBundle: bundle }, [{ workflowId, history }])) {
    return result.error ?? null;
  }
  throw new Error('nothing was replayed');
}

/** Today's workflows with one line changed. */
async function bundleWith(change: {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}): Promise<WorkflowBundle> {
  const copy = await mkdtemp(join(tmpdir(), 'astra-replay-'));
  try {
    for (const folder of ['workflows', 'domain', 'activities']) {
      await cp(join(root, folder), join(copy, folder), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    const path = join(copy, change.file);
    const source = await readFile(path, 'utf8');
    expect(source).toContain(change.from);
    await writeFile(path, source.replace(change.from, change.to));
    return await bundleWorkflowCode({ workflowsPath: join(copy, 'workflows/index.ts'), logger: quiet });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const files = await readdir(histories);

test('there is a history of every scenario', () => {
  expect(files.length).toBeGreaterThanOrEqual(scenarios.length);
});

test.each(files)("today's workflows replay %s", async (file) => {
  expect(await replay(await workflowBundle(), file)).toBeNull();
});

test('a workflow that does one thing more is refused', async () => {
  const changed = await bundleWith({
    file: 'workflows/goal-workflow.ts',
    from: "page.showStatus('running');",
    to: "page.showStatus('running');\n      await kernel.recordEvents({ goal, events: [] });",
  });
  const refusals = await Promise.all(
    files.filter((file) => file.includes('diamond')).map((file) => replay(changed, file)),
  );
  expect(refusals).toHaveLength(1);
  expect(refusals[0]?.name).toBe('DeterminismViolationError');
});
