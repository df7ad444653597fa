import type { Context } from '@temporalio/activity';
import type { ActivityExecuteInput } from '@temporalio/worker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTakeOver } from './take-over.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const resetStickyTaskQueue = vi.fn(async () => ({}));
  const takeOver = createTakeOver();
  async function runActivity(runId: string, { isLocal = false } = {}): Promise<unknown> {
    const info = { namespace: 'n', isLocal, workflowExecution: { workflowId: 'w', runId } };
    // What the interceptor looks at.
    const context = { info, client: { workflowService: { resetStickyTaskQueue } } } as unknown as Context;
    const input: ActivityExecuteInput = { args: [], headers: {} };
    return takeOver(context).inbound?.execute?.(input, async () => 'done');
  }
  return { resetStickyTaskQueue, runActivity };
}

it('a new worker has each goal whose task comes to it kept for nobody, once', async () => {
  const { resetStickyTaskQueue, runActivity } = setUp();
  for (const runId of ['r1', 'r2', 'r1']) expect(await runActivity(runId)).toBe('done');
  const execution = (runId: string) => [{ namespace: 'n', execution: { workflowId: 'w', runId } }];
  expect(resetStickyTaskQueue.mock.calls).toEqual([execution('r1'), execution('r2')]);
});

it('a goal whose local activity it runs is its own', async () => {
  const { resetStickyTaskQueue, runActivity } = setUp();
  await runActivity('r1', { isLocal: true });
  expect(resetStickyTaskQueue).not.toHaveBeenCalled();
});

it('a worker that is not new leaves the goals where they are', async () => {
  const { resetStickyTaskQueue, runActivity } = setUp();
  vi.advanceTimersByTime(10_001);
  await runActivity('r1');
  expect(resetStickyTaskQueue).not.toHaveBeenCalled();
});

it('goes on when the server cannot be asked', async () => {
  const { resetStickyTaskQueue, runActivity } = setUp();
  resetStickyTaskQueue.mockRejectedValueOnce(new Error('away'));
  expect(await runActivity('r1')).toBe('done');
});
