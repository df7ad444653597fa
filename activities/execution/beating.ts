import { heartbeat } from '@temporalio/activity';

const heartbeatMs = 1_000;

/** Tells the server while `work` lasts that its activity lives, and learns thereby of a cancel. */
export async function beating<T>(work: () => Promise<T>): Promise<T> {
  const beat = setInterval(heartbeat, heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
