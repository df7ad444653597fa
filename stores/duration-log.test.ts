import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { createDurationLog } from './duration-log.ts';
import type { TaskDurationStore } from './postgres/task-durations.ts';

const add = vi.fn<TaskDurationStore['add']>();
const warn = vi.fn();

beforeEach(() => {
  vi.useFakeTimers();
  add.mockReset().mockResolvedValue();
  warn.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const log = createDurationLog({ add }, { logger: { warn } });
  onTestFinished(() => log.close());
  return log;
}

test('what tasks took is added every two seconds, once, summed by tenant and type', async () => {
  const log = start();
  log.add('a', 'x.y', 1);
  log.add('a', 'x.y', 3);
  log.add('b', 'x.y', 5);
  await vi.advanceTimersByTimeAsync(2_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(add.mock.calls).toEqual([
    [
      [
        { tenant: 'a', taskType: 'x.y', tasks: 2, seconds: 4 },
        { tenant: 'b', taskType: 'x.y', tasks: 1, seconds: 5 },
      ],
    ],
  ]);
});

test('the end of the process adds what is left, and nothing of a tenant that was deleted', async () => {
  const log = start();
  log.add('gone', 'x.y', 1);
  log.add('kept', 'x.y', 1);
  log.forget((key) => key === 'gone/');
  await log.close();
  expect(add.mock.calls.flat(2)).toEqual([{ tenant: 'kept', taskType: 'x.y', tasks: 1, seconds: 1 }]);
});

test('while Postgres is away samples are lost, and that is said once', async () => {
  add.mockRejectedValue(new Error('away'));
  const log = start();
  for (let round = 0; round < 3; round += 1) {
    log.add('a', 'x.y', 1);
    await vi.advanceTimersByTimeAsync(2_000);
  }
  expect([add.mock.calls.length, warn.mock.calls.length]).toEqual([3, 1]);
});
