import type { ScheduleDescription, ScheduleExecutionResult } from '@temporalio/client';
import canonicalize from 'canonicalize';
import { scheduledGoalId } from '../../domain/ids.ts';
import type { Schedule, ScheduleDefinition } from '../../domain/schemas/schedule.ts';
import type { ScheduledGoalInput } from '../../workflows/contract.ts';

type Settings = Pick<Schedule, 'name' | 'cron' | 'everySeconds' | 'jitterSeconds' | 'overlap' | 'timezone' | 'goal'>;

/** What its author says of a schedule, with the defaults. */
const settingsOf = (definition: ScheduleDefinition): Settings => {
  const { name, cron = null, everySeconds = null, jitterSeconds = 0, overlap = 'skip', timezone = 'UTC' } = definition;
  return { name, cron, everySeconds, jitterSeconds, overlap, timezone, goal: definition.goal };
};

/** Would it be replaced by the same? */
export function isSameSchedule(schedule: Schedule, definition: ScheduleDefinition): boolean {
  const settings = settingsOf(definition);
  const { name, cron, everySeconds, jitterSeconds, overlap, timezone, goal } = schedule;
  const own = { name, cron, everySeconds, jitterSeconds, overlap, timezone, goal };
  return canonicalize(own) === canonicalize(settings);
}

/** Its definition, as its runs are given it: Temporal itself keeps a cron expression only as what it means. */
export function definitionOf({ action }: Pick<ScheduleDescription, 'action'>): ScheduleDefinition {
  // The schedule engine wrote it.
  const [input] = action.args as unknown as [ScheduledGoalInput];
  return input.definition;
}

export function scheduleView(description: ScheduleDescription): Schedule {
  const { state, info } = description;
  return {
    ...settingsOf(definitionOf(description)),
    paused: state.paused,
    note: state.note === undefined || state.note === '' ? null : state.note,
    nextRuns: info.nextActionTimes.map((time) => time.toISOString()),
    recentRuns: info.recentActions.map(runOf),
    createdAt: info.createdAt.toISOString(),
    updatedAt: info.lastUpdatedAt?.toISOString() ?? null,
  };
}

const runOf = ({ scheduledAt, takenAt, action }: ScheduleExecutionResult): Schedule['recentRuns'][number] => ({
  goalId: scheduledGoalId(action.workflow.firstExecutionRunId),
  scheduledAt: scheduledAt.toISOString(),
  startedAt: takenAt.toISOString(),
});
