import type { GoalSubmission } from '../../../domain/schemas/goal.ts';
import { pureTask } from '../workloads.ts';

const middle = Array.from({ length: 8 }, (_, index) => `m${index}`);

/** What is submitted: ten tasks, 1 → 8 → 1, as an explicit plan. */
export const submission: GoalSubmission = {
  objective: 'ten small tasks',
  plan: { tasks: [pureTask('first'), ...middle.map((id) => pureTask(id, ['first'])), pureTask('last', middle)] },
};
