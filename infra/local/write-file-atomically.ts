import { renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Replaces a file so that a reader sees the old text or the new one, never a part. Synchronous: the launcher uses it in
 * exit handlers and the files are small.
 */
export function writeFileAtomically(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  // The mode is given at creation: a secret is not readable by others for even a moment.
  writeFileSync(temporary, text, { mode, flag: 'wx' });
  renameSync(temporary, path);
}
