import { expect, test } from 'vitest';
import { createAstra } from '@astra/sdk';
import { goalId, goalView, graphView, taskView } from '../../sdk/test-support/goal-samples.ts';
import type { Session } from '../session.ts';
import { emulate } from '../test-support/terminal-emulator.ts';
import { createPaint } from '../text/paint.ts';
import { createProgressDisplay } from './progress-display.ts';

function collect(isTTY: boolean) {
  let output = '';
  const stream = { write: (text: string) => (output += text), isTTY, columns: 80, rows: 24 };
  const { signal } = new AbortController();
  const session: Session = {
    io: { stdout: stream, stderr: stream, stdin: new ReadableStream(), env: {}, cwd: '/', signal },
    astra: createAstra({ apiUrl: 'http://127.0.0.1:1' }),
    json: false,
    paint: () => createPaint(false),
    print: () => undefined,
    note: () => undefined,
  };
  return { display: createProgressDisplay(session), output: () => output };
}

test('the tree shows the last whole line that a running task wrote, without what it would do to the terminal', () => {
  const { display, output } = collect(true);
  display.show({ type: 'snapshot', goal: goalView(), graph: graphView([taskView({ status: 'running' })]) });
  const text = 'first\r\n\u001B[2J\u001B]0;title\u0007sec\u009Bond \u202Eline\n\n';
  display.show({
    type: 'task.progress',
    taskId: 'list',
    attempt: 1,
    stream: 'stdout',
    text,
    at: '2025-01-01T00:00:00.000Z',
  });
  display.close();
  const lines = emulate(output());
  expect(lines[0]).toBe(`Measure the repository  ${goalId}`);
  expect(lines.slice(2)).toEqual([expect.stringMatching(/^. List files {2}list$/), '  │ second line', '']);
  expect(output()).not.toMatch(/\u001B\[2J|\u001B\]|\u009B|\u202E/);
});

test('the log calls a goal by its id until it has an objective of its own', () => {
  const { display, output } = collect(false);
  display.show({ type: 'snapshot', goal: goalView({ status: 'accepted', objective: 'repo-report' }), graph: null });
  display.show({ type: 'snapshot', goal: goalView(), graph: graphView([taskView()]) });
  display.close();
  expect(output().replaceAll(/\[.*?\] /g, '')).toBe(
    `goal accepted: ${goalId}\nMeasure the repository  ${goalId}\ngoal running\n`,
  );
});

test('both say why a goal is paused, and what waits for it', () => {
  const pause = { by: 'policy', running: 'finish', shiftDeadlines: false, reason: '9 of 10 failed.' } as const;
  const goal = { ...goalView({ status: 'paused' }), pause: { ...pause, since: '2025-01-01T00:00:00.000Z' } };
  const waitingFor = { kind: 'paused', detail: '9 of 10 failed.', until: null } as const;
  const graph = graphView([taskView({ status: 'parked', waitingFor })]);
  const [log, tree] = [collect(false), collect(true)];
  for (const { display } of [log, tree]) {
    display.show({ type: 'snapshot', goal, graph });
    display.close();
  }
  expect(log.output()).toContain('goal paused: 9 of 10 failed.');
  expect(log.output()).toContain('parked    List files (list): paused: 9 of 10 failed.');
  expect(emulate(tree.output())[1]).toMatch(/^paused .*9 of 10 failed\./);
});
