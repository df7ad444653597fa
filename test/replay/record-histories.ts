import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { WorkflowHandle } from '@temporalio/client';
import { createFakeWorld } from '../support/workflow/fake-world.ts';
import { createBench } from '../support/workflow/run-goal.ts';
import { scenarios } from '../support/workflow/scenarios/index.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';

/**
 * `npm run record-histories [-- <words>]`: runs each scenario once against a real server, or those whose names have the
 * words, and keeps the histories of its workflows.
 * Record anew only on purpose: the histories that are kept are what running goals look like, and today's code must
 * replay them.
 */
const directory = join(import.meta.dirname, 'histories');
/** A longer history says nothing that a shorter one does not. */
const maxEvents = 700;

const fileName = (name: string, part: number): string =>
  `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}${part === 0 ? '' : `-${part}`}.json`;

async function keep(handle: WorkflowHandle, name: string, part: number): Promise<void> {
  const history = await handle.fetchHistory();
  if ((history.events?.length ?? 0) > maxEvents) return;
  await writeFile(join(directory, fileName(name, part)), `${historyToJSON(history)}\n`);
}

const words = process.argv[2] ?? '';
if (words === '') await rm(directory, { recursive: true, force: true });
await mkdir(directory, { recursive: true });
const stack = await startTestStack({ migrate: false });
const bench = await createBench(stack.env.TEMPORAL_ADDRESS ?? '');
try {
  for (const { name, behaviour, input, drive } of scenarios.filter((each) => each.name.includes(words))) {
    const world = createFakeWorld(behaviour);
    const handle = await bench.withWorker(world.activities, async () => {
      const started = await bench.start(input);
      await drive?.(started, world);
      // How it ends is the workflow tests' matter.
      await started.result().catch(() => undefined);
      return started;
    });
    await keep(handle, name, 0);
    const started = (await handle.fetchHistory()).events ?? [];
    const children = started.flatMap(
      (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId ?? [],
    );
    for (const [index, workflowId] of children.entries()) {
      await keep(bench.client.workflow.getHandle(workflowId), name, index + 1);
    }
  }
  console.log(`kept ${(await readdir(directory)).length} histories`);
} finally {
  await bench.close();
  await stack.stop();
}
