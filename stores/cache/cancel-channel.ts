import type { Redis } from 'ioredis';
import type { GoalId } from '../../domain/schemas/common.ts';
import { keys } from './keys.ts';

/** A cancel that is durable: the workflow has been told. */
export interface CancelNotice {
  readonly tenant: string;
  readonly goalId: GoalId;
  /** The goal and what runs below it. */
  readonly goalIds: readonly GoalId[];
  /** Of the workflow that was told. */
  readonly workflowId: string;
  readonly reason: string | null;
  readonly compensate: boolean;
}

/** Goals a message: what a worker reads in one go. */
const goalsAtOnce = 1_000;

/** The fast lane of cancels: tells every worker at once. Never fails: heartbeats tell what is not heard here. */
export async function publishCancel(redis: Redis, notice: CancelNotice): Promise<void> {
  const { goalIds } = notice;
  for (let from = 0; from < goalIds.length; from += goalsAtOnce) {
    const part: CancelNotice = { ...notice, goalIds: goalIds.slice(from, from + goalsAtOnce) };
    await redis.publish(keys.cancels, JSON.stringify(part)).catch(() => undefined);
  }
}

/** Listens on a connection of its own. @returns ends it */
export function listenForCancels(redis: Redis, onCancel: (notice: CancelNotice) => void): () => void {
  const listener = redis.duplicate({ autoResubscribe: false });
  listener.on('message', (_channel: string, message: string) => {
    // `publishCancel` wrote it.
    onCancel(JSON.parse(message) as CancelNotice);
  });
  listener.on('ready', () => {
    listener.subscribe(keys.cancels).catch(() => listener.disconnect(true));
  });
  // ioredis reconnects by itself and an unhandled `error` would end the process; the connection given tells of it.
  listener.on('error', () => undefined);
  return () => listener.disconnect();
}
