import type { GoalView } from '@astra/sdk';
import { clean, truncate } from '../text/clean.ts';
import { elapsedMs, formatDuration } from '../text/duration.ts';
import type { Paint } from '../text/paint.ts';
import { describeEta, describeWait } from './describe-wait.ts';
import { formatTask, indentOf } from './task-line.ts';
import { selectTasks, summarizeRest, type PlacedTask, type TaskOrder } from './task-order.ts';

/** What is on the screen while a goal is watched. */
export interface Scene {
  readonly goal: GoalView;
  readonly order: TaskOrder;
  readonly eta: string | null;
  /** Task id → the last line it wrote. */
  readonly liveLines: ReadonlyMap<string, string>;
}

interface FrameOptions {
  readonly paint: Paint;
  readonly width: number;
  /** At least 5. */
  readonly height: number;
  readonly now: number;
  readonly tick: number;
}

const statusStyle = { completed: 'green', failed: 'red', cancelled: 'yellow' } as const;
const hasStyle = (status: string): status is keyof typeof statusStyle => status in statusStyle;
export const paintStatus = (status: GoalView['status'], paint: Paint): string =>
  paint(hasStyle(status) ? statusStyle[status] : 'cyan', status);

/** `━━━━━━━━━━────────── 5/12`, filled by what is settled; once the goal has failed or is cancelled, by what is done. */
function formatBar({ progress, status }: GoalView, width: number, paint: Paint): string {
  const { total, completed, failed, skipped } = progress;
  const cutShort = status === 'failed' || status === 'cancelled';
  const settled = cutShort ? completed : completed + failed + skipped;
  const filled = total === 0 ? 0 : Math.floor((settled / total) * width);
  return `${paint('green', '━'.repeat(filled))}${paint('dim', '─'.repeat(width - filled))} ${settled}/${total}`;
}

/** Why a goal does not begin. */
const formatWait = ({ waitingFor }: GoalView): string =>
  waitingFor ? clean(describeWait(waitingFor, (at) => at)) : '';

interface HeadOptions extends Pick<FrameOptions, 'paint' | 'width' | 'now'> {
  /** The graph's. */
  readonly eta?: string | null;
}

/** Objective, state, bar, counts and time: two lines. */
export function formatHead(goal: GoalView, { paint, width, now, eta = null }: HeadOptions): string[] {
  const { running, failed, waiting } = goal.progress;
  const counts = [
    running > 0 ? `${running} running` : '',
    waiting > 0 ? `${waiting} waiting` : '',
    failed > 0 ? paint('red', `${failed} failed`) : '',
    formatWait(goal),
    formatDuration(elapsedMs(goal.createdAt, goal.finishedAt, now)),
    describeEta(eta, now),
  ].filter((part) => part !== '');
  const title = truncate(clean(goal.objective), Math.max(10, width - goal.id.length - 2));
  const bar = width >= 60 ? `${formatBar(goal, Math.min(30, width - 50), paint)}  ` : '';
  return [
    `${paint('bold', title)}  ${paint('dim', goal.id)}`,
    `${paintStatus(goal.status, paint)}  ${bar}${counts.join(', ')}`,
  ];
}

/** One frame of at most `height` lines: the head, then the tree, or what of it matters most. */
export function renderFrame({ goal, order, eta, liveLines }: Scene, options: FrameOptions): string[] {
  const { paint, width, height, now, tick } = options;
  const head = formatHead(goal, { ...options, eta });
  const lineOf = ({ task }: PlacedTask) => (task.status === 'running' ? liveLines.get(task.id) : undefined);
  const shown = selectTasks(order, height - head.length, (entry) => (lineOf(entry) === undefined ? 1 : 2));
  const tree = shown.flatMap((entry) => {
    const row = formatTask(entry.task, entry.level, { paint, width, now, tick });
    const line = lineOf(entry);
    return line === undefined
      ? [row]
      : [row, paint('dim', truncate(`${indentOf(entry.level, width)}  │ ${line}`, width))];
  });
  const rest = summarizeRest(order, shown);
  return [...head, ...tree, ...(rest === null ? [] : [paint('dim', truncate(`… ${rest}`, width))])];
}
