import type { ParkedTask, TaskEnding } from '../activities/contract.ts';
import type { CarriedCall, UnparkTasksArgs } from './contract.ts';

type Word = 'retry' | 'discard';

/**
 * Of calls that are parked for a failure: what people say of them.
 *
 * 1. They say it of the failure of one attempt, so that what is said twice, or late, is not done to the next failure.
 * 2. They may say it before the workflow knows: the failure is recorded first.
 * 3. Courses keep what was said until the call goes on, also in a new history.
 */
export interface DeadLetters {
  /** The task as it is parked, while nobody has said that it goes on. */
  held(taskId: string): ParkedTask | null;
  /** Also of what is parked for anything else, which keeps no word. */
  keep(taskId: string, parked: ParkedTask): void;
  release(args: UnparkTasksArgs): void;
  /** Null: nothing has been said. */
  verdict(taskId: string): 'again' | Extract<TaskEnding, { kind: 'discarded' }> | null;
  /** What was said of calls that are not parked, as far as this knows: for whoever may have them. */
  readonly early: readonly UnparkTasksArgs[];
}

/** @param courses of the calls that are parked or were; shared with the parking */
export function createDeadLetters(courses: Map<string, CarriedCall>): DeadLetters {
  const early = new Map<string, { readonly attempted: number; readonly word: Word }>();

  function say(taskId: string, attempted: number, word: Word): void {
    const course = courses.get(taskId);
    const known = course?.attempted ?? 0;
    if (course?.word === 'none' && known === attempted) courses.set(taskId, { ...course, word });
    else if (known < attempted) early.set(taskId, { attempted, word });
  }

  return {
    held(taskId) {
      const { attempted = 0, word } = courses.get(taskId) ?? {};
      return word === 'none' || word === 'discard' ? parkedAfter(attempted) : null;
    },
    keep(taskId, { attempted, reason }) {
      const course = courses.get(taskId);
      if (reason !== 'failed') {
        const { held, forgiven } = course ?? {};
        const counted = { ...(held !== undefined && { held }), ...(forgiven !== undefined && { forgiven }) };
        courses.set(taskId, { attempted, unparked: reason, ...counted });
        return;
      }
      if (course?.word && course.attempted === attempted) return;
      const said = early.get(taskId);
      early.delete(taskId);
      const word = said?.attempted === attempted ? said.word : 'none';
      courses.set(taskId, { attempted, unparked: 'failed', forgiven: attempted, word });
    },
    release({ attempts = {}, discard }) {
      for (const [taskId, attempted] of Object.entries(attempts)) say(taskId, attempted, discard ? 'discard' : 'retry');
    },
    verdict(taskId) {
      const word = courses.get(taskId)?.word;
      if (word === 'discard') return { kind: 'discarded' };
      return word === 'retry' ? 'again' : null;
    },
    get early() {
      const of = (wanted: Word) =>
        Object.fromEntries(
          [...early].flatMap(([id, { attempted, word }]) => (word === wanted ? [[id, attempted]] : [])),
        );
      const [retried, discarded] = [of('retry'), of('discard')];
      return [
        ...(Object.keys(retried).length > 0 ? [{ reason: 'failed', attempts: retried } as const] : []),
        ...(Object.keys(discarded).length > 0
          ? [{ reason: 'failed', attempts: discarded, discard: true } as const]
          : []),
      ];
    },
  };
}

const parkedAfter = (attempted: number): ParkedTask => ({
  status: 'parked',
  reason: 'failed',
  attempted,
  by: 'outside',
});
