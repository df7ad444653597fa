import type { GoalPause } from './schemas/pause.ts';

type Told = Omit<GoalPause, 'since'>;

/** Do both tell the same of a pause? */
export const isSamePause = (a: Told, b: Told): boolean =>
  a.by === b.by && a.reason === b.reason && a.running === b.running && a.shiftDeadlines === b.shiftDeadlines;
