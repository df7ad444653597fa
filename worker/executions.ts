import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { Executions } from '../activities/retention/deps.ts';
import { AstraError } from '../domain/errors.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import {
  erasureStart,
  erasureWorkflow,
  goalWorkflowId,
  isGoalWorkflowId,
  messages,
  schedulePrefix,
  searchAttributes,
  type CancelGoalArgs,
} from '../workflows/contract.ts';
import { orGone } from './or-gone.ts';
import { isRunNaming, removeSchedules, renameInSchedules, scheduledRuns } from './tenant-schedules.ts';

/** A list filter takes so many workflows. */
const namedAtOnce = 50;
const callsAtOnce = 16;
const pollMs = 200;
const longestPollMs = 2_000;
/** Of more executions than this the others follow when these are gone. */
const listedAtOnce = 50_000;
/** The server removes in the background, and its index follows. */
const patienceMs = 60_000;

const running = 'ExecutionStatus = "Running"';
const ofTenant = (tenant: string): string => `${searchAttributes.tenant.name} = "${tenant}"`;
/** Shards of maps have the goal's id and more. */
const ofGoal = (goalId: GoalId): string => {
  const id = goalWorkflowId(goalId);
  return `WorkflowId = "${id}" OR WorkflowId STARTS_WITH "${id}/"`;
};

/** What Temporal keeps of goals, as a worker's activities ask for it. */
export function createExecutions(client: Client): Executions {
  const calls = createCalls(client);
  return {
    async stop(goalIds, { graceSeconds }) {
      const ids = goalIds.map(goalWorkflowId);
      await inTurns(ids, calls.cancel);
      const deadline = Date.now() + graceSeconds * 1_000;
      let open = await calls.stillRunning(ids);
      while (open.length > 0 && Date.now() < deadline) {
        await sleep(pollMs);
        open = await calls.stillRunning(open);
      }
      await inTurns(open, (id) => orGone(client.workflow.getHandle(id).terminate('deleted')));
    },

    async remove(goalIds, { evenRunning }) {
      let removed = 0;
      for (const some of parts(goalIds, namedAtOnce)) {
        const filter = `(${some.map(ofGoal).join(' OR ')})${evenRunning ? '' : ` AND NOT ${running}`}`;
        removed += await calls.removeAll(filter, () => calls.anyLeft(some.map(goalWorkflowId), { evenRunning }));
      }
      return removed;
    },

    countRunning: async (tenant) => (await client.workflow.count(`${ofTenant(tenant)} AND ${running}`)).count,

    async cancelTenant(tenant) {
      const open = await list(client, `${ofTenant(tenant)} AND ${running}`);
      await inTurns(
        open.map(({ workflowId }) => workflowId),
        calls.cancel,
      );
    },

    async removeTenant(tenant) {
      const schedules = await removeSchedules(client, tenant);
      const filter = `${ofTenant(tenant)} OR WorkflowId STARTS_WITH "${schedulePrefix(tenant)}"`;
      return schedules + (await calls.removeAll(filter, () => Promise.resolve(false)));
    },

    renameInSchedules: (tenant, forgetting) => renameInSchedules(client, tenant, forgetting),

    async removeScheduledRuns(tenant, subject) {
      const runs = await list(client, `${ofTenant(tenant)} AND ${scheduledRuns}`);
      const naming: WorkflowExecutionInfo[] = [];
      await inTurns(runs, async (run) => {
        if (await isRunNaming(client, run, subject)) naming.push(run);
      });
      const ended = naming.filter(({ status }) => status.name !== 'RUNNING');
      for (const some of parts(ended, namedAtOnce)) {
        const ids = some.map(({ workflowId }) => workflowId);
        const filter = ids.map((id) => `WorkflowId = "${id}"`).join(' OR ');
        await calls.removeAll(filter, () => calls.anyLeft(ids, { evenRunning: true }));
      }
      return { removed: ended.length, running: naming.length - ended.length };
    },

    async startErasure(deletionId) {
      await client.workflow.start(erasureWorkflow.type, erasureStart(deletionId));
    },
  };
}

function createCalls(client: Client) {
  async function statusOf(workflowId: string): Promise<string | null> {
    return (await orGone(client.workflow.getHandle(workflowId).describe()))?.status.name ?? null;
  }

  return {
    removeAll: (filter: string, anyLeft: () => Promise<boolean>) => removeAll(client, { filter, anyLeft }),
    async cancel(workflowId: string): Promise<void> {
      const handle = client.workflow.getHandle(workflowId);
      // Only goals know the signal; others are ended by the request.
      const reason: CancelGoalArgs = { reason: 'deleted' };
      if (isGoalWorkflowId(workflowId)) await orGone(handle.signal(messages.cancelGoal, reason));
      await orGone(handle.cancel());
    },
    async stillRunning(workflowIds: readonly string[]): Promise<string[]> {
      const open: string[] = [];
      await inTurns(workflowIds, async (id) => {
        if ((await statusOf(id)) === 'RUNNING') open.push(id);
      });
      return open;
    },
    async anyLeft(
      workflowIds: readonly string[],
      { evenRunning }: { readonly evenRunning: boolean },
    ): Promise<boolean> {
      let left = false;
      await inTurns(workflowIds, async (id) => {
        const status = await statusOf(id);
        left ||= status !== null && (evenRunning || status !== 'RUNNING');
      });
      return left;
    },
  };
}

/** Until the index has none and `anyLeft` says so too: the index may be behind. @returns how many */
async function removeAll(
  client: Client,
  { filter, anyLeft }: { readonly filter: string; readonly anyLeft: () => Promise<boolean> },
): Promise<number> {
  const { namespace } = client.options;
  const told = new Set<string>();
  let deadline = Date.now() + patienceMs;
  for (let waitMs = pollMs; ; waitMs = Math.min(2 * waitMs, longestPollMs)) {
    const found = await list(client, filter);
    const untold = found.filter(({ runId }) => !told.has(runId));
    await inTurns(untold, ({ workflowId, runId }) => {
      told.add(runId);
      const workflowExecution = { workflowId, runId };
      return orGone(client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution }));
    });
    if (found.length === 0 && !(await anyLeft())) return told.size;
    if (untold.length > 0) deadline = Date.now() + patienceMs;
    if (Date.now() > deadline) throw notRemoved();
    await sleep(waitMs);
  }
}

async function list(client: Client, query: string): Promise<WorkflowExecutionInfo[]> {
  const found: WorkflowExecutionInfo[] = [];
  for await (const execution of client.workflow.list({ query, pageSize: 1_000 })) {
    if (found.push(execution) >= listedAtOnce) break;
  }
  return found;
}

const notRemoved = (): AstraError =>
  new AstraError('ASTRA_UNAVAILABLE', 'Temporal has not removed what it was told to. It is told again.', {
    retryAfterSeconds: 5,
  });

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  for (const some of parts(items, callsAtOnce)) await Promise.all(some.map(work));
}

function* parts<T>(items: readonly T[], size: number): Generator<readonly T[], void, undefined> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
