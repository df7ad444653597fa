import { condition } from '@temporalio/workflow';
import type { OpenedTask, TaskEnding } from '../activities/contract.ts';
import { inTime } from './deadline.ts';
import type { GoalRun } from './goal-run.ts';

type Wait = Extract<OpenedTask, { wait: unknown }>['wait'];

/** Waits for a time, or for an event that may have come before; the event's data is the output. */
export async function runWait(run: GoalRun, wait: Wait): Promise<TaskEnding> {
  if ('seconds' in wait) {
    await inTime(run.pause, wait.seconds, { summary: `wait ${wait.seconds} s` });
    return { kind: 'output', output: null };
  }
  const { mailbox } = run.control;
  const arrived = (): boolean => (mailbox.get(wait.event)?.length ?? 0) > 0;
  if (wait.timeoutSeconds === null) await condition(arrived);
  else if (!(await inTime(run.pause, wait.timeoutSeconds, { isMet: arrived }))) {
    const message = `The event "${wait.event}" did not arrive in time.`;
    return { kind: 'failed', error: { code: 'ASTRA_WAIT_TIMEOUT', message, retryable: false } };
  }
  return { kind: 'output', output: mailbox.get(wait.event)?.shift() ?? null };
}
