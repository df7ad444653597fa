import type { Logger } from '../platform/logger.ts';
import { goalKey } from './goal-write.ts';
import type { Announcement, GoalRemovals } from './postgres/goal-removals.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { keepReading } from './keep-reading.ts';

const pollMs = 500;
/** Announcements last at least this long: who has not looked for so long may have missed some. */
export const announcedSeconds = 3;

export interface RemovalFollower {
  /** May these bytes be about to go? */
  isLeaving(tenant: string, sha256: string): boolean;
  /** False, as nearly always: none is. */
  readonly anyLeaving: boolean;
  close(): void;
}

/**
 * Learns within half a second of goals that were deleted, by whichever worker, so that this process forgets them too.
 * Asks Postgres, which nearly always answers with nothing.
 */
export function createRemovalFollower(
  removals: Pick<GoalRemovals, 'announced'>,
  options: { readonly onGone: (isGone: (key: string) => boolean) => void; readonly logger: Pick<Logger, 'warn'> },
): RemovalFollower {
  let known = read([]);
  let askedAt = performance.now();

  async function poll(): Promise<void> {
    const began = performance.now();
    const announced = read(await removals.announced());
    const missed = began - askedAt > announcedSeconds * 1_000 - pollMs;
    const isNew = [...announced.gone].some((key) => !known.gone.has(key));
    known = announced;
    askedAt = began;
    if (missed) options.onGone(() => true);
    else if (isNew) options.onGone((key) => announced.gone.has(key) || announced.gone.has(tenantOf(key)));
  }
  const { close } = keepReading(poll, {
    everyMs: pollMs,
    onAway: (error) => options.logger.warn({ err: error }, 'deleted goals cannot be read'),
  });

  return {
    get anyLeaving() {
      return known.objects.size > 0;
    },
    isLeaving: (tenant, sha256) => known.objects.has(`${tenant}/${sha256}`),
    close,
  };
}

/** As a goal's key without the goal, which no goal has. */
const tenantOf = (key: string): string => key.slice(0, key.indexOf('/') + 1);

function read(announced: readonly Announcement[]): {
  readonly gone: ReadonlySet<string>;
  readonly objects: ReadonlySet<string>;
} {
  return {
    // A goal's id, or nothing for a whole tenant.
    gone: new Set(announced.map(({ tenant, goalId }) => goalKey({ tenant, goalId } as GoalRef))),
    objects: new Set(announced.flatMap(({ tenant, objects }) => objects.map((sha256) => `${tenant}/${sha256}`))),
  };
}
