import { createHash } from 'node:crypto';
import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { requireStartTime } from '../../domain/goal-beginning.ts';
import { renderText } from '../../domain/expressions.ts';
import { childGoalId } from '../../domain/ids.ts';
import type { TaskState } from '../../domain/goal-record.ts';
import { limits } from '../../domain/limits.ts';
import { runOf, type TaskOutline } from '../../domain/plan-outline.ts';
import { validateSubmission } from '../../domain/plan-validation/validate-submission.ts';
import type { ApprovalTask, GoalTask, WaitTask } from '../../domain/schemas/plan.ts';
import { renderSubGoalBody, splitSubGoalBody } from '../../domain/sub-goal-body.ts';
import type { ForkRequest, KernelActivities, OpenedTask, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { isWanted } from './is-wanted.ts';
import { openApproval, type Question } from './open-approval.ts';
import { openCall, type OpenCallDeps } from './open-call.ts';
import { recordEnd } from './record-end.ts';
import type { PlannedTask } from './task-scope.ts';
import { renderInput } from './tool-call.ts';

type Deps = OpenCallDeps;

/**
 * Begins a task that the workflow carries out itself, or a tool call that policy is to be asked about. A task that is open already, because the workflow began a new
 * history or its worker was lost, is opened again with what is left of its time and with its votes.
 */
export function createOpenTask(deps: Deps): KernelActivities['openTask'] {
  const { recorder, scopes } = deps;
  return async (ref) => {
    const recorded = await recorder.outcome(ref.goal, ref.taskId);
    if (recorded) return { settled: recorded };
    const planned = await scopes.find(ref.goal, ref.taskId);
    const about = { taskId: ref.taskId };
    try {
      if (await isWanted(scopes, ref.goal, planned.task)) return await open(deps, ref, planned);
      return { settled: await recordEnd(recorder, ref, draft('task.skipped', { reason: 'condition' }, about)) };
    } catch (error) {
      if (!(error instanceof AstraError) || error.code === 'ASTRA_UNAVAILABLE') throw error;
      return { settled: await recordEnd(recorder, ref, draft('task.failed', { error: toErrorInfo(error) }, about)) };
    }
  };
}

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

async function open(deps: Deps, ref: TaskRef, planned: PlannedTask): Promise<OpenedTask> {
  const { task, outline } = planned;
  switch (task.kind) {
    case 'map':
      return openMap(deps, ref, planned);
    case 'goal':
      return openSubGoal(deps, ref, { task, outline });
    case 'approval':
      return {
        approval: await openApproval(deps.recorder, ref, {
          run: runOf(outline),
          ask: () => questionOf(deps, ref, task),
        }),
      };
    case 'wait':
      return openWait(deps, ref, task);
    case 'tool': {
      const approval = await openCall(deps, ref, planned);
      return approval ? { approval } : { cleared: true };
    }
  }
}

/** Once people have approved the map it is opened again, and begins. */
async function openMap(deps: Deps, ref: TaskRef, planned: PlannedTask): Promise<OpenedTask> {
  const { goal, taskId } = ref;
  const { task } = planned;
  const approval = await openCall(deps, ref, planned);
  if (approval) return { approval };
  const items = task.kind === 'map' ? (await deps.scopes.itemsOf(goal, task)).length : 0;
  if (items > limits.mapItems) {
    throw new AstraError('ASTRA_MAP_FAILED', `The map has ${items} items; at most ${limits.mapItems} are allowed.`);
  }
  deps.recorder.note(goal, draft('task.started', { items }, { taskId }));
  return { map: { items } };
}

async function openSubGoal(
  deps: Deps,
  { goal, taskId }: TaskRef,
  { task, outline }: { readonly task: GoalTask; readonly outline: TaskOutline },
): Promise<OpenedTask> {
  const { own } = splitSubGoalBody(task.goal);
  const body = renderSubGoalBody(task.goal, await deps.scopes.of(goal, own));
  const sizeBytes = Buffer.byteLength(JSON.stringify(body));
  if (sizeBytes > limits.goalBodyBytes) {
    const message = `The sub-goal's body has ${sizeBytes} bytes, at most ${limits.goalBodyBytes} are allowed. Pass what is large as an artifact.`;
    throw new AstraError('ASTRA_BODY_TOO_LARGE', message);
  }
  // A sub-goal acts for its parent's agent: what that may not do it may not have done. It is as urgent, unless it says otherwise.
  const { agentId, priority, budgetScopes } = await deps.recorder.head(goal);
  const asked = agentId === null ? body : { ...body, agentId };
  const submission = { priority, ...validateSubmission(asked, await deps.catalogue()) };
  requireStartTime(submission, Date.now());
  const { retries, forks } = outline;
  const child = childGoalId(goal.goalId, taskId, { digest, run: retries?.run ?? runOf(outline) });
  await deps.recorder.record(goal, [draft('task.started', { childGoalId: child }, { taskId })]);
  const standing = retries && (await deps.recorder.standing({ tenant: goal.tenant, goalId: child }));
  // One that had not begun, and one that has begun again already, are gone on with as they are.
  const ended = standing && isFinalGoal(standing.state.status);
  const again = retries && ended ? { retry: { run: standing.state.run + 1, tasks: retries.tasks } } : {};
  const forked = forks ? { fork: await forkOf(deps.recorder, goal, forks) } : {};
  return { childGoal: { goalId: child, submission, ...(budgetScopes && { budgetScopes }), ...again, ...forked } };
}

async function forkOf(
  recorder: Recorder,
  { tenant }: GoalRef,
  { goalId, tasks }: NonNullable<TaskOutline['forks']>,
): Promise<ForkRequest> {
  const standing = await recorder.standing({ tenant, goalId });
  return { from: { goalId, seq: standing?.state.seq ?? 0 }, tasks };
}

async function questionOf({ scopes }: Deps, { goal }: TaskRef, task: ApprovalTask): Promise<Question> {
  const { input: template = {}, required, deciders, expiresSeconds, onExpiry } = task;
  const scope = await scopes.of(goal, [task.prompt, template]);
  const input = task.input ? renderInput(template, scope) : null;
  const terms = { required, deciders, expiresSeconds, onExpiry };
  return { kind: 'task', prompt: renderText(task.prompt, scope), input, terms };
}

async function openWait({ recorder }: Deps, { goal, taskId }: TaskRef, task: WaitTask): Promise<OpenedTask> {
  const recorded = await recorder.task(goal, taskId);
  const { event, seconds = 0, timeoutSeconds } = task;
  const limit = event === undefined ? seconds : timeoutSeconds;
  const until = endOfWait(recorded, limit);
  const waitingFor =
    event === undefined
      ? ({ kind: 'timer', detail: `${seconds} s`, until } as const)
      : ({ kind: 'event', detail: event, until } as const);
  await recorder.record(goal, [draft('task.started', { waitingFor }, { taskId })]);
  const left = until === null ? null : secondsTo(until);
  return event === undefined ? { wait: { seconds: left ?? 0 } } : { wait: { event, timeoutSeconds: left } };
}

/** As it was recorded, for a pause may have put it off; else so long after the wait's start. */
function endOfWait(recorded: TaskState | null, limit: number | undefined): string | null {
  if (recorded?.waitingFor?.until) return recorded.waitingFor.until;
  if (limit === undefined) return null;
  return inSeconds(limit, recorded?.startedAt ? Date.parse(recorded.startedAt) : Date.now());
}

const inSeconds = (seconds: number, since = Date.now()): string => new Date(since + seconds * 1_000).toISOString();
const secondsTo = (time: string): number => Math.max(0, (Date.parse(time) - Date.now()) / 1_000);
