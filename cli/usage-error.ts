/** Something on the command line, or in a file it names, is not as it must be. The message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
