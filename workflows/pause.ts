import { CancellationScope, condition, defineSignal, log, setHandler } from '@temporalio/workflow';
import { isSamePause } from '../domain/same-pause.ts';
import type { EventDraft } from '../domain/schemas/event.ts';
import { messages, type CarriedPause, type PauseGoalArgs, type ResumeGoalArgs } from './contract.ts';
import { draft } from './goal-run.ts';
import { createPauseReach, type PauseReach } from './pause-reach.ts';

export const pauseGoalSignal = defineSignal<[PauseGoalArgs]>(messages.pauseGoal);
export const resumeGoalSignal = defineSignal<[ResumeGoalArgs]>(messages.resumeGoal);

type Standing = NonNullable<CarriedPause['standing']>;

/**
 * Whether one execution is paused.
 *
 * 1. Nothing begins from the moment that a pause is heard until its resume is recorded.
 * 2. Running tool calls are stopped, and children told, once the pause is recorded.
 * 3. Who has asked for a pause, people or policy on the one hand and the goal above on the other, resumes it; the goal is
 *    paused while one of the two wants it to be.
 */
export interface Pause {
  readonly isPaused: boolean;
  /** Do deadlines wait now? */
  readonly isShifting: boolean;
  /** By how much pauses that are over have put deadlines off. */
  readonly shiftedMs: number;
  readonly reason: string | null;
  readonly reach: PauseReach;
  begin(args: PauseGoalArgs): void;
  over(): Promise<void>;
  /** What the next run of the goal begins with, once all is recorded. */
  carry(): Promise<CarriedPause | null>;
}

interface Deps {
  readonly carried: CarriedPause | undefined;
  /** Is something recorded of the goal, so that its pauses can be, too? */
  readonly isSubmitted: () => boolean;
  readonly record: (event: EventDraft) => Promise<void>;
  /** Nothing is paused any more that is being cancelled. */
  readonly isCancelled: () => boolean;
  readonly onChange: (isPaused: boolean) => void;
  readonly onResumed: () => void;
}

interface State {
  asks: CarriedPause['asks'];
  /** What is wanted, all in all; null: to run. */
  wanted: Standing | null;
  shiftedMs: number;
  /** Resumes that are not recorded yet. */
  resuming: number;
}

/** Installs the handlers. Call it before the first await, or early messages are lost. */
export function createPause(deps: Deps): Pause {
  const { carried } = deps;
  const state: State = {
    asks: carried?.asks ?? {},
    wanted: carried?.standing ?? null,
    shiftedMs: 0,
    resuming: 0,
  };
  const steps = createSteps(deps.isSubmitted);
  const reach = createPauseReach(state.wanted);
  const course = { ...deps, steps, reach };
  const begin = (args: PauseGoalArgs): void => {
    const asker = askerOf(args);
    state.asks = { ...state.asks, [asker]: merged(state.asks[asker], args) };
    settle(state, course);
  };

  setHandler(pauseGoalSignal, begin);
  setHandler(resumeGoalSignal, ({ by }) => {
    const { own, parent } = state.asks;
    state.asks = askerOf({ by }) === 'own' ? { ...(parent && { parent }) } : { ...(own && { own }) };
    settle(state, { ...course, by });
  });

  const isPaused = (): boolean => state.wanted !== null || state.resuming > 0;
  return {
    get isPaused() {
      return isPaused();
    },
    get isShifting() {
      return state.wanted?.shiftDeadlines ?? false;
    },
    get shiftedMs() {
      return state.shiftedMs;
    },
    get reason() {
      return state.wanted?.reason ?? null;
    },
    reach,
    begin,
    over: () => condition(() => !isPaused()),
    async carry() {
      await steps.done();
      const { wanted, asks } = state;
      return wanted ? { standing: wanted, asks } : null;
    },
  };
}

type Course = Deps & { readonly steps: Steps; readonly reach: PauseReach; readonly by?: ResumeGoalArgs['by'] };

const askerOf = ({ by }: Pick<PauseGoalArgs, 'by'>): 'own' | 'parent' => (by === 'parent' ? 'parent' : 'own');

/** Asked again, more may be asked for, and no less. */
const merged = (before: PauseGoalArgs | undefined, asked: PauseGoalArgs): PauseGoalArgs => ({
  ...(before ?? asked),
  running: before?.running === 'hold' ? 'hold' : asked.running,
  shiftDeadlines: asked.shiftDeadlines || before?.shiftDeadlines === true,
});

/** People's own reason is shown before that of the goal above. */
function wantedBy({ own, parent }: CarriedPause['asks']): PauseGoalArgs | null {
  if (!own || !parent) return own ?? parent ?? null;
  const running = own.running === 'hold' ? own.running : parent.running;
  return { ...own, running, shiftDeadlines: own.shiftDeadlines || parent.shiftDeadlines };
}

/** Sees to what is asked for now. */
function settle(state: State, course: Course): void {
  const before = state.wanted;
  const asked = wantedBy(state.asks);
  if (course.isCancelled()) return;
  if (asked && !(before && isSamePause(before, asked))) beginPause(state, asked, course);
  else if (before && !asked) endPause(state, before, course);
}

function beginPause(state: State, asked: PauseGoalArgs, { onChange, record, steps, reach }: Course): void {
  const event = draft('goal.paused', asked);
  const standing = { ...asked, sinceMs: state.wanted?.sinceMs ?? Date.parse(event.at) };
  state.wanted = standing;
  onChange(true);
  steps.add(async () => {
    await record(event);
    if (state.wanted === standing) reach.pause(standing);
  });
}

function endPause(state: State, before: Standing, { by = 'request', ...course }: Course): void {
  const { onChange, onResumed, record, steps, reach } = course;
  const event = draft('goal.resumed', { by });
  if (before.shiftDeadlines) state.shiftedMs += Date.parse(event.at) - before.sinceMs;
  state.wanted = null;
  state.resuming += 1;
  onChange(false);
  onResumed();
  steps.add(async () => {
    await record(event).finally(() => {
      state.resuming -= 1;
    });
    if (!state.wanted) reach.resume();
  });
}

interface Steps {
  add(step: () => Promise<void>): void;
  done(): Promise<void>;
}

/** One after the other, so that events are recorded in the order of what they tell; whatever is cancelled meanwhile. */
function createSteps(mayBegin: () => boolean): Steps {
  let underWay = 0;
  let last = Promise.resolve();
  return {
    add(step) {
      underWay += 1;
      last = last
        .then(() => CancellationScope.nonCancellable(() => condition(mayBegin).then(step)))
        .catch((error: unknown) => log.error('a pause could not be recorded', { error }))
        .finally(() => {
          underWay -= 1;
        });
    },
    done: () => condition(() => underWay === 0),
  };
}
