import { ActivityFailure, CancellationScope, condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { Slots } from '../activities/contract.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { kernel } from './activities.ts';
import { messages } from './contract.ts';
import { failure } from './goal-ending.ts';

export const slotsFreedSignal = defineSignal(messages.slotsFreed);

/** The goal's slots: its places at the limits of its tenant, from its beginning to its end. Most goals need none. */
export interface GoalSlots {
  /** Has it any, or a place in a line, to give back? */
  readonly any: boolean;
  /** What an activity that asked for them was told; undefined: no limit applies. */
  note(answer: Slots | undefined): void;
  /** Resolves when the goal has them all. @throws ASTRA_LIMIT_REACHED, as a failure */
  held(): Promise<void>;
  giveBack(): Promise<void>;
}

/**
 * A goal that waits is told when it may ask again. Should nobody tell it, it asks again by itself, after longer and longer
 * times: each costs its history some six events, and a worker that sees the slots free tells it sooner.
 */
const firstPauseSeconds = 2;
const longestPauseSeconds = 600;

/** Call it before the first await, or what the goal is told early is lost. */
export function createGoalSlots(goal: GoalRef, options: { readonly held: boolean }): GoalSlots {
  let slots: Slots | null = options.held ? 'held' : null;
  let told = false;
  setHandler(slotsFreedSignal, () => {
    told = true;
  });

  async function ask(): Promise<void> {
    told = false;
    // Not to be given up half-way: what it takes is known before anything is given back.
    const answer = await CancellationScope.nonCancellable(() => kernel.takeSlots({ goal }));
    if (answer !== null && typeof answer === 'object' && 'error' in answer) throw failure(answer.error);
    slots = answer;
  }

  return {
    get any() {
      return slots !== null;
    },
    note(answer) {
      slots = answer ?? null;
    },
    async held() {
      for (let pause = firstPauseSeconds; slots !== null && slots !== 'held'; pause *= 2) {
        const seconds = slots.waitSeconds ?? Math.min(pause, longestPauseSeconds);
        if (seconds > 0) await condition(() => told, seconds * 1_000);
        await ask();
      }
    },
    async giveBack() {
      if (slots === null) return;
      try {
        await CancellationScope.nonCancellable(() => kernel.giveBackSlots({ goal }));
      } catch (error) {
        // The goal has ended all the same, and workers give back what ended goals hold.
        if (!(error instanceof ActivityFailure)) throw error;
      }
    },
  };
}
