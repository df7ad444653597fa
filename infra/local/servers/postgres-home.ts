import { createHash } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StatePaths } from '../paths.ts';
import { canEnter, unprivilegedUser, type User } from '../run-as.ts';
import { systemDirectory } from '../system-directory.ts';
import { writeFileAtomically } from '../write-file-atomically.ts';

export interface PostgresHome {
  /** Belongs to the user that Postgres runs as; holds the data directory. */
  directory: string;
  /** Null: as the launcher's own user. */
  user: User | null;
}

/**
 * Where Postgres keeps its data and as whom it runs. Started by root it runs as another user, who must be able to enter
 * the directory; where the state directory is closed to others the data go to a system directory, which is remembered.
 */
export function postgresHome(paths: StatePaths): PostgresHome {
  const directory = recordedHome(paths) ?? chooseHome(paths);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let user = unprivilegedUser();
  if (user !== null) {
    // Data that are there keep their owner, also when a package has added a user 'postgres' since.
    const owner = statSync(directory);
    if (owner.uid !== 0) user = { uid: owner.uid, gid: owner.gid };
    chownSync(directory, user.uid, user.gid);
  }
  return { directory, user };
}

/** The directory chosen at an earlier start outside the state directory, if any. */
export function recordedHome(paths: StatePaths): string | null {
  return existsSync(paths.postgresHome) ? readFileSync(paths.postgresHome, 'utf8').trim() : null;
}

function chooseHome(paths: StatePaths): string {
  const inside = paths.data('postgres');
  if (canEnter(dirname(inside), unprivilegedUser())) return inside;
  const outside = join(systemDirectory(), `data-${createHash('sha256').update(paths.root).digest('hex').slice(0, 12)}`);
  writeFileAtomically(paths.postgresHome, `${outside}\n`, 0o644);
  return outside;
}
