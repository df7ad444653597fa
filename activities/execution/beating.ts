import { heartbeat } from '@temporalio/activity';

const heartbeatMs = 1_000;

/**
 * Tells the server while `work` lasts that its activity lives, and learns thereby of a cancel.
 * @param options.details what the activity's next attempt is to know
 */
export async function beating<T>(work: () => Promise<T>, options: { readonly details?: number } = {}): Promise<T> {
  const beat = setInterval(() => heartbeat(options.details), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
