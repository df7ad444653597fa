import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';

const rotateBytes = 10 * 1024 * 1024;

/** The last lines of a log, for an error that says why a process ended. */
export function logTail(path: string, lines = 15): string {
  try {
    const file = openSync(path, 'r');
    try {
      const size = fstatSync(file).size;
      const buffer = Buffer.alloc(Math.min(size, 16 * 1024));
      readSync(file, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** Opens a log for appending; one that has grown large is kept once as `<name>.1`. */
export function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateBytes) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
