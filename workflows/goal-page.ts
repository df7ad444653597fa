import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { GoalStatus, GoalView } from '../domain/schemas/goal.ts';
import type { TaskGraph } from '../domain/task-graph.ts';
import { searchAttributes, type CarriedGoal, type GoalViewQueryResult } from './contract.ts';

/** The goal as operators see it in Temporal: its status for list filters, its progress on its page. */
export interface GoalPage {
  /**
   * Only a status that Temporal's own cannot tell becomes a search attribute: that is an event, and a write to the
   * server's index, which for a goal of ten quick tasks was an eighth of all that the server did (2 cores).
   */
  showStatus(status: GoalStatus): void;
  /** A pause is shown instead of the status, until the goal is being cancelled or ends. */
  showPaused(isPaused: boolean): void;
  /** Costs no event: the details are sent when they are asked for. */
  showProgress(graph: TaskGraph): void;
  view(): GoalViewQueryResult;
}

const lasting: ReadonlySet<GoalStatus> = new Set(['planning', 'awaiting_approval', 'paused', 'cancelling']);

const pausable: ReadonlySet<GoalStatus> = new Set(['accepted', 'planning', 'awaiting_approval', 'running']);

/** @param carried by an earlier run of the goal, which has shown whether it is paused */
export function createGoalPage(carried: Pick<CarriedGoal, 'pause'> | undefined): GoalPage {
  let status: GoalStatus = carried ? 'running' : 'accepted';
  let isPaused = Boolean(carried?.pause?.standing);
  let shown: GoalStatus | null = isPaused ? 'paused' : null;
  let progress: GoalView['progress'] = { total: 0, completed: 0, running: 0, failed: 0, skipped: 0, waiting: 0 };
  const current = (): GoalStatus => (isPaused && pausable.has(status) ? 'paused' : status);
  function show(): void {
    const attribute = lasting.has(current()) ? current() : null;
    if (attribute === shown) return;
    shown = attribute;
    upsertSearchAttributes([{ key: searchAttributes.status, value: attribute }]);
  }
  return {
    showStatus(next) {
      status = next;
      show();
    },
    showPaused(next) {
      isPaused = next;
      show();
    },
    showProgress(graph) {
      progress = graph.progress();
      setCurrentDetails(detailsOf(progress));
    },
    view: () => ({ status: current(), progress }),
  };
}

const detailsOf = ({ total, completed, running, waiting, failed, skipped }: GoalView['progress']): string =>
  [
    `**${completed} of ${total} tasks completed**`,
    '',
    '| running | waiting | failed | skipped |',
    '|---|---|---|---|',
    `| ${running} | ${waiting} | ${failed} | ${skipped} |`,
  ].join('\n');
