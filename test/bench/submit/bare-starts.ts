import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { goalIdSchema } from '../../../domain/schemas/common.ts';
import {
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  taskQueues,
  type GoalWorkflowInput,
} from '../../../workflows/contract.ts';
import { serveBench } from './bench-child.ts';
import { runClosedLoop, type LoopResult } from './closed-loop.ts';
import { runOpenLoop } from './open-loop.ts';
import { submission } from './submission.ts';

/** The peer: starts of the same workflow with the same arguments, and nothing around them. */
export interface BareRequest {
  readonly concurrency: number;
  readonly seconds: number;
  /** As of `HttpRequest`. */
  readonly perSecond?: number;
}

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '' });
const client = new Client({ connection });

function start(): Promise<unknown> {
  const goalId = goalIdSchema.parse(`gol_${randomBytes(15).toString('hex')}`);
  const input: GoalWorkflowInput = {
    tenant: 'default',
    goalId,
    submission,
    submittedAt: new Date().toISOString(),
    parentGoalId: null,
    bodyHash: null,
    depth: 0,
  };
  return client.workflow.start(goalWorkflowType, {
    workflowId: goalWorkflowId(goalId),
    taskQueue: taskQueues.main,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    workflowIdConflictPolicy: 'FAIL',
    typedSearchAttributes: goalSearchAttributes('default', submission),
    priority: { priorityKey: 3, fairnessKey: 'default' },
    staticSummary: submission.objective ?? '',
    args: [input],
  });
}

serveBench(({ perSecond, ...request }: BareRequest): Promise<LoopResult> => {
  return perSecond === undefined ? runClosedLoop(start, request) : runOpenLoop(start, { ...request, perSecond });
});
