import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, not for a time. @param what completes the sentence "did not happen: …" */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  options: { readonly timeoutSeconds?: number } = {},
): Promise<void> {
  const { timeoutSeconds = 30 } = options;
  const deadline = Date.now() + timeoutSeconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${timeoutSeconds} s: ${what}`);
    await sleep(20);
  }
}
