import type { GoalEngine } from '../goals/goal-engine.ts';

/** An engine that knows no goal and starts none. */
export const idleEngine: GoalEngine = {
  start: () => Promise.resolve(true),
  find: () => Promise.resolve(null),
  query: () => Promise.resolve(null),
  retry: () => Promise.resolve(false),
  amendPlan: () => Promise.reject(new Error('no goal runs')),
  proposeChange: () => Promise.reject(new Error('no goal runs')),
  cancel: () => Promise.resolve(false),
  pause: () => Promise.resolve(false),
  resume: () => Promise.resolve(false),
  unparkTasks: () => Promise.resolve(false),
  deliverEvent: () => Promise.resolve(false),
  slotsFreed: () => Promise.resolve(),
};
