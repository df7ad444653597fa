/** Like Promise.all, but fails only when none is still under way: the stop that follows must find them all. */
export async function allOrNothing(starts: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
