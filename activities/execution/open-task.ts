import { createHash } from 'node:crypto';
import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { renderTemplate, renderText } from '../../domain/expressions.ts';
import { approvalId, childGoalId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import { limits } from '../../domain/limits.ts';
import { validateSubmission } from '../../domain/plan-validation/validate-submission.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import type { ApprovalTask, GoalTask, MapTask, Task, WaitTask } from '../../domain/schemas/plan.ts';
import { renderSubGoalBody, splitSubGoalBody } from '../../domain/sub-goal-body.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';
import type { KernelActivities, OpenedApproval, OpenedTask, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { isWanted } from './is-wanted.ts';
import { recordEnd } from './record-end.ts';
import type { TaskScopes } from './task-scope.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly catalogue: ToolCatalogue;
}

/**
 * Begins a task that the workflow carries out itself. A task that is open already, because the workflow began a new
 * history or its worker was lost, is opened again with what is left of its time and with its votes.
 */
export function createOpenTask(deps: Deps): KernelActivities['openTask'] {
  const { recorder, scopes } = deps;
  return async (ref) => {
    const recorded = await recorder.outcome(ref.goal, ref.taskId);
    if (recorded) return { settled: recorded };
    const { task } = await scopes.find(ref.goal, ref.taskId);
    const about = { taskId: ref.taskId };
    try {
      if (await isWanted(scopes, ref.goal, task)) return await open(deps, ref, task);
      return { settled: await recordEnd(recorder, ref, draft('task.skipped', { reason: 'condition' }, about)) };
    } catch (error) {
      if (!(error instanceof AstraError) || error.code === 'ASTRA_UNAVAILABLE') throw error;
      return { settled: await recordEnd(recorder, ref, draft('task.failed', { error: toErrorInfo(error) }, about)) };
    }
  };
}

function open(deps: Deps, ref: TaskRef, task: Task): Promise<OpenedTask> {
  switch (task.kind) {
    case 'map':
      return openMap(deps, ref, task);
    case 'goal':
      return openSubGoal(deps, ref, task);
    case 'approval':
      return openApproval(deps, ref, task);
    case 'wait':
      return openWait(deps, ref, task);
    case 'tool':
      throw new AstraError('ASTRA_INTERNAL', 'A tool task is executed, not opened.');
  }
}

async function openMap({ recorder, scopes }: Deps, { goal, taskId }: TaskRef, task: MapTask): Promise<OpenedTask> {
  const items = (await scopes.itemsOf(goal, task)).length;
  if (items > limits.mapItems) {
    throw new AstraError('ASTRA_MAP_FAILED', `The map has ${items} items; at most ${limits.mapItems} are allowed.`);
  }
  recorder.note(goal, draft('task.started', { items }, { taskId }));
  return { map: { items } };
}

async function openSubGoal(deps: Deps, { goal, taskId }: TaskRef, task: GoalTask): Promise<OpenedTask> {
  const { own } = splitSubGoalBody(task.goal);
  const body = renderSubGoalBody(task.goal, await deps.scopes.of(goal, own));
  const sizeBytes = Buffer.byteLength(JSON.stringify(body));
  if (sizeBytes > limits.goalBodyBytes) {
    const message = `The sub-goal's body has ${sizeBytes} bytes, at most ${limits.goalBodyBytes} are allowed. Pass what is large as an artifact.`;
    throw new AstraError('ASTRA_BODY_TOO_LARGE', message);
  }
  // As urgent as its goal, unless it says otherwise.
  const { priority } = await deps.recorder.head(goal);
  const submission = { priority, ...validateSubmission(body, await deps.catalogue()) };
  const child = childGoalId(goal.goalId, taskId, (text) => createHash('sha256').update(text).digest());
  await deps.recorder.record(goal, [draft('task.started', { childGoalId: child }, { taskId })]);
  return { childGoal: { goalId: child, submission } };
}

async function openApproval({ recorder, scopes }: Deps, ref: TaskRef, task: ApprovalTask): Promise<OpenedTask> {
  const { goal, taskId } = ref;
  const id = approvalId(goal.goalId, taskId);
  const { required = 1, expiresSeconds = null } = task;
  let approval = await recorder.approval(goal, id);
  if (!approval) {
    const { input: template = {} } = task;
    const scope = await scopes.of(goal, [task.prompt, template]);
    // Rendering keeps the shape: an object stays an object.
    const input = task.input ? (renderTemplate(template, scope) as JsonObject) : null;
    const expiresAt = expiresSeconds === null ? null : inSeconds(expiresSeconds);
    const request = {
      approvalId: id,
      kind: 'task',
      prompt: renderText(task.prompt, scope),
      input,
      required,
      expiresAt,
    } as const;
    await recorder.record(goal, [draft('approval.requested', request, { taskId })]);
    approval = await recorder.approval(goal, id);
  }
  return { approval: { approvalId: id, required, ...standingOf(approval) } };
}

/** What an earlier run of the workflow, if there was one, has come to. */
function standingOf(approval: Approval | null): Pick<OpenedApproval, 'status' | 'approvedBy' | 'expiresSeconds'> {
  if (!approval) return { status: 'pending', approvedBy: [], expiresSeconds: null };
  const { status, votes, expiresAt } = approval;
  const approvedBy = votes.filter((vote) => vote.decision === 'approved').map((vote) => vote.subject);
  return { status, approvedBy, expiresSeconds: expiresAt === null ? null : secondsTo(expiresAt) };
}

async function openWait({ recorder }: Deps, { goal, taskId }: TaskRef, task: WaitTask): Promise<OpenedTask> {
  const startedAt = (await recorder.task(goal, taskId))?.startedAt ?? null;
  const since = startedAt === null ? Date.now() : Date.parse(startedAt);
  const { event, seconds = 0, timeoutSeconds } = task;
  const limit = event === undefined ? seconds : timeoutSeconds;
  const until = limit === undefined ? null : inSeconds(limit, since);
  const waitingFor =
    event === undefined
      ? ({ kind: 'timer', detail: `${seconds} s`, until } as const)
      : ({ kind: 'event', detail: event, until } as const);
  await recorder.record(goal, [draft('task.started', { waitingFor }, { taskId })]);
  const left = until === null ? null : secondsTo(until);
  return event === undefined ? { wait: { seconds: left ?? 0 } } : { wait: { event, timeoutSeconds: left } };
}

const inSeconds = (seconds: number, since = Date.now()): string => new Date(since + seconds * 1_000).toISOString();
const secondsTo = (time: string): number => Math.max(0, (Date.parse(time) - Date.now()) / 1_000);
