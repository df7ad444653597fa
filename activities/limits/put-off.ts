import { activityInfo, ApplicationFailure, heartbeat } from '@temporalio/activity';
import type { PutOff } from './call-slots.ts';

/**
 * How often this activity's call was put off. Each time was an attempt for Temporal, and none at the tool. The number
 * travels in the heartbeats' details, which the server hands from one attempt to the next, as a failure takes them with it.
 */
export function timesPutOff(): number {
  // What this module gave `heartbeat`, or nothing.
  const details: unknown = activityInfo().heartbeatDetails;
  return typeof details === 'number' ? details : 0;
}

/** The failure that has the server begin the next attempt when the call may have its turn. */
export function putOffFailure({ waitingFor, seconds }: PutOff, times: number): ApplicationFailure {
  heartbeat(times + 1);
  const message = `The limit "${waitingFor.detail}" puts the call off.`;
  return ApplicationFailure.create({ type: 'ASTRA_LIMIT_REACHED', message, nextRetryDelay: seconds * 1_000 });
}
