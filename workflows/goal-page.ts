import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { GoalStatus, GoalView } from '../domain/schemas/goal.ts';
import type { TaskGraph } from '../domain/task-graph.ts';
import { searchAttributes, type GoalViewQueryResult } from './contract.ts';

/** The goal as operators see it in Temporal: its status for list filters, its progress on its page. */
export interface GoalPage {
  showStatus(status: GoalStatus): void;
  /** Costs no event: the details are sent when they are asked for. */
  showProgress(graph: TaskGraph): void;
  view(): GoalViewQueryResult;
}

export function createGoalPage(initial: GoalStatus): GoalPage {
  let status = initial;
  let progress: GoalView['progress'] = { total: 0, completed: 0, running: 0, failed: 0, skipped: 0, waiting: 0 };
  return {
    showStatus(next) {
      if (next === status) return;
      status = next;
      upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
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
