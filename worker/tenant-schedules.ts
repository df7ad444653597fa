import type { Client, ScheduleDescription, WorkflowExecutionInfo } from '@temporalio/client';
import { forgetSubject, namedSubjects, type Forgetting } from '../domain/forget-subject.ts';
import type { Json } from '../domain/json.ts';
import { scheduledGoalWorkflowType, schedulePrefix } from '../workflows/contract.ts';
import { orGone } from './or-gone.ts';

/** Ids of a tenant's schedules. */
async function* idsOf(client: Client, tenant: string): AsyncGenerator<string, void, undefined> {
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(schedulePrefix(tenant))) yield scheduleId;
  }
}

/** @returns how many there were */
export async function removeSchedules(client: Client, tenant: string): Promise<number> {
  let removed = 0;
  for await (const id of idsOf(client, tenant)) {
    await orGone(client.schedule.getHandle(id).delete());
    removed += 1;
  }
  return removed;
}

/** Puts the pseudonym into the plans of the tenant's schedules, which are as they were otherwise. */
export async function renameInSchedules(client: Client, tenant: string, forgetting: Forgetting): Promise<void> {
  // Arguments are JSON.
  const argsOf = ({ action }: ScheduleDescription): Json => action.args as readonly Json[];
  const forgottenArgs = (schedule: ScheduleDescription): Json => forgetSubject(argsOf(schedule), 'plan', forgetting);
  for await (const id of idsOf(client, tenant)) {
    const handle = client.schedule.getHandle(id);
    const schedule = await orGone(handle.describe());
    if (!schedule || forgottenArgs(schedule) === argsOf(schedule)) continue;
    // A list of arguments stays one.
    const update = handle.update((now) => ({
      ...now,
      action: { ...now.action, args: forgottenArgs(now) as unknown[] },
    }));
    await orGone(update);
  }
}

/** Runs of schedules by what they are called with, which their history begins with. */
export const scheduledRuns = `WorkflowType = "${scheduledGoalWorkflowType}"`;

/** Has the run been started with a plan that names the subject? */
export async function isRunNaming(
  client: Client,
  { workflowId, runId }: WorkflowExecutionInfo,
  subject: string,
): Promise<boolean> {
  const { namespace, loadedDataConverter } = client.options;
  const execution = { workflowId, runId };
  const request = { namespace, execution, maximumPageSize: 1 };
  const answer = await orGone(client.workflowService.getWorkflowExecutionHistory(request));
  const payloads = answer?.history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  const args = payloads.map((payload): Json => loadedDataConverter.payloadConverter.fromPayload(payload));
  return namedSubjects(args, 'plan').has(subject);
}
