import { AstraError } from '../../domain/errors.ts';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { liveIdPattern, type LiveFrame } from '../../stores/cache/live-lane.ts';

/** How far a reader has come: the durable events up to `seq`, the live lane up to `liveId`. */
export interface StreamPosition {
  readonly seq: number;
  readonly liveId: string | null;
}

/**
 * `<seq>` from a durable frame, `<seq>-<liveId>` from a live one.
 * @throws ASTRA_PARAMETER_INVALID
 */
export function parseLastEventId(text: string): StreamPosition {
  const [seq = '', ...rest] = text.split('-');
  const liveId = rest.length === 0 ? null : rest.join('-');
  if (/^\d{1,15}$/.test(seq) && (liveId === null || liveIdPattern.test(liveId))) return { seq: Number(seq), liveId };
  throw new AstraError('ASTRA_PARAMETER_INVALID', 'Last-Event-ID is not one that this stream gave. Begin without it.', {
    faults: [{ pointer: '/lastEventId', message: 'is not an id of this stream' }],
  });
}

export const eventFrame = (event: GoalEvent): string =>
  `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

/** Not an event: it has no `seq` of its own and may be lost. */
export function progressFrame(goalId: GoalId, seq: number, { liveId, ...chunk }: LiveFrame): string {
  const data = JSON.stringify({ goalId, type: 'task.progress', ...chunk });
  return `id: ${seq}-${liveId}\nevent: task.progress\ndata: ${data}\n\n`;
}

export const heartbeatFrame = ': still here\n\n';
export const retryFrame = 'retry: 1000\n\n';
