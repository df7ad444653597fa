import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { GoalStatus, GoalView } from '../domain/schemas/goal.ts';
import type { TaskGraph } from '../domain/task-graph.ts';
import { searchAttributes, type GoalViewQueryResult } from './contract.ts';

/** The goal as operators see it in Temporal: its status for list filters, its progress on its page. */
export interface GoalPage {
  /**
   * Only a status that Temporal's own cannot tell becomes a search attribute: that is an event, and a write to the
   * server's index, which for a goal of ten quick tasks was an eighth of all that the server did (2 cores).
   */
  showStatus(status: GoalStatus): void;
  /** Costs no event: the details are sent when they are asked for. */
  showProgress(graph: TaskGraph): void;
  view(): GoalViewQueryResult;
}

const lasting: ReadonlySet<GoalStatus> = new Set(['planning', 'awaiting_approval', 'cancelling']);

export function createGoalPage(initial: GoalStatus): GoalPage {
  let status = initial;
  let shown: GoalStatus | null = null;
  let progress: GoalView['progress'] = { total: 0, completed: 0, running: 0, failed: 0, skipped: 0, waiting: 0 };
  return {
    showStatus(next) {
      status = next;
      const attribute = lasting.has(next) ? next : null;
      if (attribute === shown) return;
      shown = attribute;
      upsertSearchAttributes([{ key: searchAttributes.status, value: attribute }]);
    },
    showProgress(graph) {
      progress = graph.progress();
      setCurrentDetails(detailsOf(progress));
    },
    view: () => ({ status, progress }),
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
