import { activityInfo, ApplicationFailure, heartbeat } from '@temporalio/activity';
import type { RetryDue } from '../contract.ts';
import type { PutOff } from './call-slots.ts';

/** A limit puts off the attempt, which has not begun. */
export interface AttemptPutOff extends PutOff {
  readonly status: 'put_off';
  /** Attempts made so far. */
  readonly attempted: number;
}

const messageOf = ({ waitingFor }: PutOff): string => `The limit "${waitingFor.detail}" puts the call off.`;

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
export function putOffFailure(putOff: PutOff, times: number): ApplicationFailure {
  heartbeat(times + 1);
  const nextRetryDelay = putOff.seconds * 1_000;
  return ApplicationFailure.create({ type: 'ASTRA_LIMIT_REACHED', message: messageOf(putOff), nextRetryDelay });
}

/** Of a call that shares its activity: it is tried again in one of its own. */
export function retryLater(putOff: AttemptPutOff): RetryDue {
  const { seconds: afterSeconds, attempted } = putOff;
  const error = { code: 'ASTRA_LIMIT_REACHED', message: messageOf(putOff), retryable: true };
  return { status: 'retrying', error, afterSeconds, attempted };
}
