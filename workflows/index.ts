/** The workflow bundle's entry: every export is a workflow type. */
export { compensationWorkflow } from './compensation-workflow.ts';
export { goalWorkflow } from './goal-workflow.ts';
export { mapShardWorkflow } from './map-shard-workflow.ts';
export { scheduledGoalWorkflow } from './scheduled-goal-workflow.ts';
export { erasureWorkflow, retentionWorkflow } from './retention-workflows.ts';
