import { ActivityFailure, CancellationScope, type ChildWorkflowHandle, type Workflow } from '@temporalio/workflow';
import { messages, type PauseGoalArgs, type ResumeGoalArgs } from './contract.ts';

type Child = Pick<ChildWorkflowHandle<Workflow>, 'signal'>;
type Standing = Pick<PauseGoalArgs, 'running' | 'shiftDeadlines' | 'reason'>;

/** What of an execution's work a pause reaches: running calls, which `hold` stops, and children, which pause with it. */
export interface PauseReach {
  pause(standing: Standing): void;
  resume(): void;
  /** @returns `isStopped`: a pause has stopped the work; then `value` is null, unless it had come to something by then */
  stoppable<T>(work: () => Promise<T>): Promise<{ readonly value: T | null; readonly isStopped: boolean }>;
  /** Has the child pause, too, while it runs. */
  whileChild<T>(child: Child, ended: () => Promise<T>): Promise<T>;
}

/** @param inForce a pause that an earlier run of the goal has begun */
export function createPauseReach(inForce: Standing | null): PauseReach {
  const stops = new Set<() => void>();
  const children = new Set<Child>();
  let standing = inForce;
  return {
    pause(next) {
      standing = next;
      if (next.running === 'hold') for (const stop of stops) stop();
      for (const child of children) tellPaused(child, next);
    },
    resume() {
      standing = null;
      for (const child of children) tellResumed(child);
    },
    async stoppable(work) {
      const scope = new CancellationScope();
      let isStopped = false;
      const stop = (): void => {
        isStopped = true;
        scope.cancel();
      };
      stops.add(stop);
      try {
        return { value: await scope.run(work), isStopped };
      } catch (error) {
        // Also an attempt whose worker dies while it is being stopped: the server does not give it another.
        const isOurs = isStopped && error instanceof ActivityFailure;
        if (isOurs && !CancellationScope.current().consideredCancelled) return { value: null, isStopped };
        throw error;
      } finally {
        stops.delete(stop);
      }
    },
    async whileChild(child, ended) {
      children.add(child);
      if (standing) tellPaused(child, standing);
      try {
        return await ended();
      } finally {
        children.delete(child);
      }
    },
  };
}

// Who has ended meanwhile has nothing to be told.

function tellPaused(child: Child, { running, shiftDeadlines, reason }: Standing): void {
  const args: PauseGoalArgs = { by: 'parent', running, shiftDeadlines, reason };
  child.signal(messages.pauseGoal, args).catch(() => undefined);
}

function tellResumed(child: Child): void {
  const args: ResumeGoalArgs = { by: 'parent' };
  child.signal(messages.resumeGoal, args).catch(() => undefined);
}
