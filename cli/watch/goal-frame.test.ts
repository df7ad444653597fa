import { describe, expect, test } from 'vitest';
import { goalView, graphView, taskView } from '../../sdk/test-support/goal-samples.ts';
import type { TaskView } from '@astra/sdk';
import { emulate } from '../test-support/terminal-emulator.ts';
import { createPaint } from '../text/paint.ts';
import { formatHead, renderFrame } from './goal-frame.ts';
import { createLiveScreen } from './live-screen.ts';
import { orderTasks } from './task-order.ts';

const now = Date.parse('2025-01-01T00:00:10.000Z');
const startedAt = '2025-01-01T00:00:08.000Z';

const render = (tasks: TaskView[], size: { width: number; height: number }, liveLines: [string, string][] = []) =>
  renderFrame(
    { goal: goalView(), order: orderTasks(graphView(tasks)), eta: null, liveLines: new Map(liveLines) },
    { ...size, paint: createPaint(false), now, tick: 0 },
  );

describe('the frame of a watched goal', () => {
  test('shows tasks level by level with what each of them does', () => {
    const tasks = [
      taskView({
        id: 'report',
        title: 'Write report',
        after: ['lines', 'ask'],
        waitingFor: { kind: 'dependency', detail: 'lines', until: null },
        eta: '2025-01-01T00:00:14.000Z',
      }),
      taskView({
        id: 'list',
        title: 'List files',
        status: 'completed',
        startedAt,
        finishedAt: '2025-01-01T00:00:08.400Z',
      }),
      taskView({
        id: 'lines',
        kind: 'map',
        title: 'Measure lines',
        status: 'running',
        after: ['list'],
        startedAt,
        map: { total: 9, completed: 3, failed: 1 },
      }),
      taskView({
        id: 'ask',
        title: 'ask',
        status: 'failed',
        after: ['list'],
        error: { code: 'ASTRA_TOOL_FAILED', message: 'no\nway', retryable: false },
      }),
    ];
    expect(
      render(tasks, { width: 80, height: 20 }, [
        ['lines', 'src/main.ts'],
        ['list', 'old'],
      ]).slice(2),
    ).toEqual([
      '✔ List files  list  0.4 s',
      '  ⠋ Measure lines  lines  4/9 (1 failed) · 2.0 s',
      '    │ src/main.ts',
      '  ✖ ask  ASTRA_TOOL_FAILED no way',
      '    · Write report  report  waits for lines · ends in ~4 s',
    ]);
  });

  test('of a cancelled goal tells what came of each task', () => {
    const map = { total: 3, completed: 3, failed: 0, compensated: 2 };
    const compensationError = { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: true };
    const tasks = [
      taskView({ id: 'a', title: 'a', status: 'cancelled', cancelReceipt: 'not_started' }),
      taskView({ id: 'b', title: 'b', status: 'completed', cancelReceipt: 'finished_anyway' }),
      taskView({ id: 'c', title: 'c', status: 'completed', map, compensationError }),
    ];
    expect(render(tasks, { width: 80, height: 20 }).slice(2)).toEqual([
      '⊘ a  not started',
      '✔ b  finished anyway',
      '✔ c  3/3 (2 compensated) · not compensated: it broke',
    ]);
  });

  test('of a failed goal has a bar that is not full', () => {
    const progress = { total: 4, completed: 1, running: 0, failed: 1, skipped: 2, waiting: 0 };
    const goal = goalView({ status: 'failed', finishedAt: '2025-01-01T00:00:12.000Z', progress });
    const [, bar] = formatHead(goal, { paint: createPaint(false), width: 80, now });
    expect(bar).toBe(`failed  ${'━'.repeat(7)}${'─'.repeat(23)} 1/4  1 failed, 12.0 s`);
  });

  test.each([20, 40, 80, 200])('fits a terminal %i wide', (width) => {
    const long = 'a very long title of a task that nobody will want to read to its end '.repeat(3);
    const tasks = Array.from({ length: 12 }, (_, i) =>
      taskView({ id: `task-${i}`, title: long, status: 'running', startedAt, after: i === 0 ? [] : [`task-${i - 1}`] }),
    );
    const lines = render(
      tasks,
      { width, height: 50 },
      tasks.map(({ id }) => [id, long]),
    );
    expect(lines).toHaveLength(26);
    // The head keeps the goal's id whole.
    for (const line of lines.slice(2)) expect(line.length).toBeLessThanOrEqual(width);
  });

  test('of 10,000 tasks is bounded: failed and running first, then the latest, then a count of the rest', () => {
    const tasks = Array.from({ length: 10_000 }, (_, i) =>
      taskView({
        id: `t${i}`,
        title: `t${i}`,
        status: i < 5_000 ? 'completed' : 'pending',
        finishedAt: `2025-01-01T00:00:00.${String(i % 1000).padStart(3, '0')}Z`,
      }),
    );
    tasks[7_777] = taskView({ id: 'bad', title: 'bad', status: 'failed' });
    tasks[9_999] = taskView({ id: 'busy', title: 'busy', status: 'running' });
    const lines = render(tasks, { width: 80, height: 10 }, [['busy', 'output']]);
    expect(lines).toHaveLength(10);
    expect(lines.slice(-4)).toEqual(['✖ bad', '⠋ busy', '  │ output', '… 9,994 more: 4,996 completed, 4,998 pending']);
    expect(lines.slice(2, 6).every((line) => /^✔ t\d*999$/.test(line))).toBe(true);
  });

  test('orders a chain of 10,000 tasks in a moment, whatever order the plan has them in', () => {
    const tasks = Array.from({ length: 10_000 }, (_, i) =>
      taskView({ id: `t${i}`, after: i === 9_999 ? [] : [`t${i + 1}`] }),
    );
    const begin = performance.now();
    const { tree } = orderTasks(graphView(tasks));
    expect(tree[0]?.task.id).toBe('t9999');
    expect(tree.at(-1)).toMatchObject({ level: 9_999, task: { id: 't0' } });
    expect(performance.now() - begin).toBeLessThan(2_000);
  });
});

test('a redraw leaves exactly the last frame, also when it is shorter', () => {
  let output = 'before\n';
  const screen = createLiveScreen({ write: (text) => (output += text) });
  screen.draw(['one', 'two two', 'three']);
  screen.draw(['uno', 'two', 'three', 'four']);
  screen.draw(['1', 'zwei']);
  screen.close();
  expect(emulate(`${output}after`)).toEqual(['before', '1', 'zwei', 'after']);
});
