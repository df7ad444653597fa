import { AstraError } from '../../domain/errors.ts';
import type { SandboxUser } from './bwrap-arguments.ts';
import type { OpenMount } from './open-mounts.ts';

const nobody = 65_534;
const othersMayRead = 0o005;

/**
 * Never root. A worker that is no root lends the command its own user, shown as nobody. A root worker becomes the owner
 * of the first directory mounted for writing, so that what the command writes belongs where it lies, else nobody; then
 * directories mounted for reading must be readable by all.
 * @throws ASTRA_TOOL_INPUT_INVALID when the command could not use a mounted directory
 */
export async function chooseUser(workerUid: number, mounts: readonly OpenMount[]): Promise<SandboxUser> {
  if (workerUid !== 0) return { how: 'map', uid: nobody, gid: nobody };
  const writable = mounts.find(({ mode }) => mode === 'rw');
  const user: SandboxUser = { how: 'drop', uid: writable?.uid ?? nobody, gid: writable?.gid ?? nobody };
  for (const [index, { directory, at, mode, uid }] of mounts.entries()) {
    const pointer = `/mounts/${index}/path`;
    if (mode === 'rw' && uid === 0) {
      throw unusable(
        pointer,
        `${at} belongs to root, which no command runs as; give it to another user to have it written`,
      );
    }
    const { mode: bits } = await directory.stat();
    if (uid !== user.uid && (bits & othersMayRead) !== othersMayRead) {
      throw unusable(pointer, `${at} is closed to other users, which the command is one of; open it (chmod o+rx)`);
    }
  }
  return user;
}

const unusable = (pointer: string, message: string): AstraError =>
  new AstraError('ASTRA_TOOL_INPUT_INVALID', `The input of shell.run is not valid: ${pointer}: ${message}`, {
    faults: [{ pointer, message }],
  });
