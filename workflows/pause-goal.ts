import type { GoalRun } from './goal-run.ts';

/** Pauses the goal by its own policy: what runs ends, nothing new begins until people resume it. */
export function pauseGoal({ pause }: Pick<GoalRun, 'pause'>, reason: string): void {
  pause.begin({ by: 'policy', running: 'finish', shiftDeadlines: false, reason });
}
