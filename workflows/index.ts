/** The workflow bundle's entry: every export is a workflow type. */
export { goalWorkflow } from './goal-workflow.ts';
export { mapShardWorkflow } from './map-shard-workflow.ts';
export { erasureWorkflow, retentionWorkflow } from './retention-workflows.ts';
