import type { GoalView, TaskStatus, TaskView } from '@astra/sdk';
import type { TextStream } from '../io.ts';
import { clean } from '../text/clean.ts';
import { elapsedMs, formatDuration } from '../text/duration.ts';
import type { Paint } from '../text/paint.ts';
import { formatHead } from './goal-frame.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { describeTask } from './task-line.ts';

const headWidth = 200;
const told: ReadonlySet<TaskStatus> = new Set<TaskStatus>([
  'running',
  'retrying',
  'awaiting_approval',
  'parked',
  'completed',
  'failed',
  'cancelled',
  'skipped',
]);

function formatTaskChange(task: TaskView, now: number): string {
  const detail = task.status === 'running' ? '' : describeTask(task, now);
  const name = task.title === task.id ? task.id : `${clean(task.title)} (${task.id})`;
  return `${task.status.padEnd(9)} ${name}${detail === '' ? '' : `: ${detail}`}`;
}

function formatGoalChange({ id, status, pause }: GoalView, titled: boolean): string {
  const detail = pause?.reason ?? (titled ? null : id);
  return detail === null ? `goal ${status}` : `goal ${status}: ${clean(detail)}`;
}

/** One line for each change of a task or of the goal: for logs and pipes. */
export function createLineDisplay(stream: TextStream, paint: Paint): ProgressDisplay {
  const known = new Map<string, string>();
  let goalStatus: GoalView['status'] | null = null;
  let titled = false;

  function* taskLines(tasks: readonly TaskView[], now: number): Generator<string> {
    for (const task of tasks) {
      // A task is compensated after its end.
      const shown = `${task.status} ${task.cancelReceipt === 'compensated'}`;
      if (known.get(task.id) === shown) continue;
      known.set(task.id, shown);
      if (told.has(task.status)) yield formatTaskChange(task, now);
    }
  }

  return {
    show(update) {
      if (update.type === 'task.progress') return;
      const { goal, graph } = update;
      const now = Date.now();
      const stamp = `[${formatDuration(elapsedMs(goal.createdAt, goal.finishedAt, now)).padStart(8)}]`;
      // Until it is planned, a goal from a template has no objective of its own to be called by.
      if (!titled && goal.status !== 'accepted') {
        titled = true;
        stream.write(`${formatHead(goal, { paint, width: headWidth, now })[0] ?? ''}\n`);
      }
      const changed = goalStatus !== goal.status;
      const goalLine = changed ? [formatGoalChange(goal, titled)] : [];
      goalStatus = goal.status;
      const tasks = [...taskLines(graph?.tasks ?? [], now)];
      // The end of a goal comes after that of its tasks.
      const lines = goal.finishedAt === null ? [...goalLine, ...tasks] : [...tasks, ...goalLine];
      for (const line of lines) stream.write(`${stamp} ${line}\n`);
    },
    ask(lines) {
      stream.write(`${lines.join('\n')}\n`);
    },
    close: () => undefined,
  };
}
