import { CancellationScope, CancelledFailure, condition, isCancellation } from '@temporalio/workflow';
import type { ExecuteTaskAnswer, Undone } from '../activities/contract.ts';
import { itemTaskId } from '../domain/ids.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import type { ToolCallRef, ToolRun } from './activities.ts';
import { callTool, isUndone } from './call-tool.ts';
import { closeTask, endingOf } from './close-task.ts';
import { createFlight } from './flight.ts';
import type { MapRoom } from './map-room.ts';
import { itemsTogether, runTogether } from './run-together.ts';

const defaultConcurrency = 16;

export const concurrencyOf = (task: TaskOutline): number => task.maxConcurrency ?? defaultConcurrency;

interface MapRun extends ToolRun {
  readonly task: TaskOutline;
  readonly mapRoom: MapRoom;
}

/**
 * Runs items of a map as activities, `maxConcurrency` at a time; begins none once more than `maxFailed` have failed.
 * @returns how many failed
 */
export async function runWindow(map: MapRun, items: readonly number[], maxFailed: number): Promise<number> {
  const flight = createFlight();
  const { mapRoom, pause } = map;
  const window = concurrencyOf(map.task);
  const together = itemsTogether(map.outline, map.task, window);
  let next = 0;
  let underWay = 0;
  let failed = 0;
  const start = (begun: readonly number[]): void => {
    mapRoom.free -= begun.length;
    underWay += begun.length;
    const onEnd = (status: ExecuteTaskAnswer['status']): void => {
      if (status === 'failed') failed += 1;
      map.policy?.onEnd(status);
      // The map's outcome is certain; it does not wait for people to say so.
      if (failed > maxFailed) map.parking.abandon(map.task.id);
    };
    const work = async (): Promise<void> => {
      try {
        await runItems(map, begun, onEnd);
      } finally {
        mapRoom.free += begun.length;
        underWay -= begun.length;
      }
    };
    flight.start(work, { waits: false });
  };
  try {
    for (;;) {
      const { isPaused } = pause;
      while (!isPaused && failed <= maxFailed && next < items.length) {
        const room = Math.min(together, window - underWay, mapRoom.free);
        if (room <= 0) break;
        start(items.slice(next, next + room));
        next += room;
      }
      if (flight.size > 0) await flight.next(() => pause.isPaused !== isPaused);
      else if (next >= items.length || failed > maxFailed) return failed;
      // Other maps have all of it, or nothing begins now.
      else await condition(() => mapRoom.free > 0 && !pause.isPaused);
    }
  } catch (error) {
    await flight.landed();
    throw error;
  }
}

async function runItems(
  map: MapRun,
  items: readonly number[],
  onEnd: (status: ExecuteTaskAnswer['status']) => void,
): Promise<void> {
  const { task } = map;
  const calls = items.map((item) => ({ task, taskId: itemTaskId(task.id, item) }));
  const [only] = calls;
  if (only && calls.length === 1) return onEnd(await runItem(map, only));
  await runTogether(map, calls, async (call, answer) =>
    onEnd(isUndone(answer) ? await runItem(map, call, answer) : answer.status),
  );
  // As an item alone does.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
}

async function runItem(map: MapRun, call: ToolCallRef, made?: Undone): Promise<ExecuteTaskAnswer['status']> {
  try {
    return (await callTool(map, call, { made })).status;
  } catch (error) {
    const { status } = await closeTask(
      { goal: map.goal, taskId: call.taskId },
      endingOf(error, call.task, map.outline),
    );
    if (isCancellation(error)) throw error;
    return status;
  }
}
