import { WorkflowFailedError } from '@temporalio/client';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createBench, type Bench } from '../support/workflow/run-goal.ts';
import { createFakeWorld } from '../support/workflow/fake-world.ts';
import { scenarios } from '../support/workflow/scenarios/index.ts';
import { deadShardScenario } from '../support/workflow/scenarios/dead-letters.ts';
import { shardParkingScenario } from '../support/workflow/scenarios/parking.ts';
import { wideMapScenarios } from '../support/workflow/scenarios/maps.ts';
import { widePauseScenario } from '../support/workflow/scenarios/pauses.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench(inject('stack').env.TEMPORAL_ADDRESS ?? '');
});
afterAll(() => bench.close());

const all = [...scenarios, ...wideMapScenarios, shardParkingScenario, widePauseScenario, deadShardScenario];
test.each(all.map((scenario) => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
  const world = createFakeWorld(scenario.behaviour);
  const ending = await bench.withWorker(world.activities, async () => {
    const handle = await bench.start(scenario.input);
    await scenario.drive?.(handle, world);
    try {
      const result = (await handle.result()) as { readonly status: string };
      return result.status;
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      return `${error.cause?.name ?? ''}: ${error.cause?.message ?? ''}`;
    }
  });
  expect(ending).toMatch(scenario.ending);
  scenario.check(world, expect);
});
