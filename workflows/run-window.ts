import { condition, isCancellation } from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { PlanOutline, TaskOutline } from '../domain/plan-outline.ts';
import { closeTask, endingOf } from './close-task.ts';
import { createFlight } from './flight.ts';
import type { MapRoom } from './map-room.ts';
import type { Parking } from './parking.ts';
import { runTool } from './run-tool.ts';

const defaultConcurrency = 16;

export const concurrencyOf = (task: TaskOutline): number => task.maxConcurrency ?? defaultConcurrency;

interface MapRun {
  readonly goal: GoalRef;
  readonly outline: PlanOutline;
  readonly task: TaskOutline;
  readonly mapRoom: MapRoom;
  readonly parking: Parking;
  readonly repeated: boolean;
}

/**
 * Runs items of a map as activities, `maxConcurrency` at a time; begins none once more than `maxFailed` have failed.
 * @returns how many failed
 */
export async function runWindow(map: MapRun, items: readonly number[], maxFailed: number): Promise<number> {
  const flight = createFlight();
  const { mapRoom } = map;
  const queue = [...items].reverse();
  let failed = 0;
  const start = (item: number): void => {
    mapRoom.free -= 1;
    const work = async (): Promise<void> => {
      try {
        if ((await runItem(map, item)) === 'failed') failed += 1;
      } finally {
        mapRoom.free += 1;
      }
    };
    flight.start(work, { waits: false });
  };
  try {
    for (;;) {
      while (flight.size < concurrencyOf(map.task) && failed <= maxFailed && mapRoom.free > 0) {
        const item = queue.pop();
        if (item === undefined) break;
        start(item);
      }
      if (flight.size > 0) await flight.next();
      else if (queue.length === 0 || failed > maxFailed) return failed;
      // Other maps have all of it.
      else await condition(() => mapRoom.free > 0);
    }
  } catch (error) {
    await flight.landed();
    throw error;
  }
}

async function runItem(
  { goal, outline, task, repeated, parking }: MapRun,
  item: number,
): Promise<'completed' | 'failed' | 'skipped' | 'cancelled'> {
  const ref = { goal, taskId: `${task.id}.${item}` };
  try {
    return (await runTool({ outline, repeated, parking }, task, { ref })).status;
  } catch (error) {
    const { status } = await closeTask(ref, endingOf(error, task, outline));
    if (isCancellation(error)) throw error;
    return status;
  }
}
