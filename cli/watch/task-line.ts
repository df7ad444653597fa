import type { TaskStatus, TaskView } from '@astra/sdk';
import { clean, truncate } from '../text/clean.ts';
import { elapsedMs, formatDuration } from '../text/duration.ts';
import { formatTime } from '../text/format-time.ts';
import type { Paint } from '../text/paint.ts';
import { describeEta, describeWait } from './describe-wait.ts';

type Mark = readonly [symbol: string, style: 'green' | 'red' | 'yellow' | 'cyan' | 'dim'];

const marks: Record<TaskStatus, Mark> = {
  completed: ['✔', 'green'],
  failed: ['✖', 'red'],
  cancelled: ['⊘', 'yellow'],
  skipped: ['–', 'dim'],
  running: ['●', 'cyan'],
  retrying: ['↻', 'yellow'],
  awaiting_approval: ['?', 'yellow'],
  parked: ['‖', 'yellow'],
  queued: ['○', 'dim'],
  ready: ['○', 'dim'],
  pending: ['·', 'dim'],
};
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const maxIndent = 8;

export const indentOf = (level: number, width: number): string =>
  ' '.repeat(2 * Math.min(level, maxIndent, Math.floor(width / 16)));

const receipts = {
  not_started: 'not started',
  aborted: 'aborted',
  finished_anyway: 'finished anyway',
  compensated: 'compensated',
} as const satisfies Record<NonNullable<TaskView['cancelReceipt']>, string>;

function describeMap({ total, completed, failed, compensated = 0 }: NonNullable<TaskView['map']>): string {
  const notes = [failed > 0 ? `${failed} failed` : '', compensated > 0 ? `${compensated} compensated` : ''];
  const noted = notes.filter((note) => note !== '').join(', ');
  return `${completed + failed}/${total}${noted === '' ? '' : ` (${noted})`}`;
}

/** What there is to know of the task's state beside the state: how long, how far, why. */
export function describeTask(task: TaskView, now: number): string {
  const { status, map, attempt, startedAt, finishedAt, waitingFor, eta, error, childGoalId } = task;
  const wait = finishedAt === null && waitingFor ? describeWait(waitingFor, (at) => formatTime(at, now)) : '';
  return [
    map === null ? '' : describeMap(map),
    task.cancelReceipt === null ? '' : receipts[task.cancelReceipt],
    task.compensationError === undefined ? '' : `not compensated: ${task.compensationError.message}`,
    childGoalId ?? '',
    attempt > 1 ? `attempt ${attempt}` : '',
    // Before what may be long and is cut.
    wait,
    error === null ? '' : `${error.code} ${error.message}`,
    startedAt !== null && status !== 'pending' ? formatDuration(elapsedMs(startedAt, finishedAt, now)) : '',
    describeEta(eta, now),
  ]
    .filter((part) => part !== '')
    .map(clean)
    .join(' · ');
}

export interface LineOptions {
  readonly paint: Paint;
  readonly width: number;
  readonly now: number;
  /** Turns the mark of a running task; null where nothing turns. */
  readonly tick: number | null;
}

/** A task in one line of at most `width` characters: mark, title, id, detail, of which the title gives way last. */
export function formatTask(task: TaskView, level: number, { paint, width, now, tick }: LineOptions): string {
  const [still, style] = marks[task.status];
  const symbol = task.status === 'running' && tick !== null ? (spinner[tick % spinner.length] ?? still) : still;
  const indent = indentOf(level, width);
  const room = Math.max(4, width - indent.length - 2);
  const title = truncate(clean(task.title), room);
  const id = task.title === task.id || title.length + task.id.length + 2 > room ? '' : `  ${task.id}`;
  const left = room - title.length - id.length - 2;
  const detail = left < 4 ? '' : truncate(describeTask(task, now), left);
  const quiet = style === 'dim' ? paint('dim', title) : title;
  const toned = task.status === 'failed' ? paint('red', detail) : paint('dim', detail);
  return `${indent}${paint(style, symbol)} ${quiet}${paint('dim', id)}${detail === '' ? '' : `  ${toned}`}`;
}
