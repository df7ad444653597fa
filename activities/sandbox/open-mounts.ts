import { open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { isAbsolute, join, normalize, relative, sep } from 'node:path';
import { AstraError } from '../../domain/errors.ts';

export interface MountRequest {
  readonly path: string;
  /** Where the sandbox sees it; unless given, at the same path as outside. */
  readonly at?: string | undefined;
  readonly mode: 'ro' | 'rw';
}
export interface OpenMount {
  readonly directory: FileHandle;
  readonly at: string;
  readonly mode: 'ro' | 'rw';
  /** Owner of the directory. */
  readonly uid: number;
  readonly gid: number;
  /** Directories in it, as the sandbox names them, that are to appear empty. */
  readonly masked: readonly string[];
}
export interface MountRules {
  /** Only what lies under these may be mounted. */
  readonly roots: readonly string[];
  /** Astra's own state: it may not be mounted and is masked where it lies in what is. */
  readonly stateDirectories: readonly string[];
}

/** The programs that set limits and give up privileges come from here, so nothing may be mounted over them. */
const systemDirectories = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/proc',
  '/dev',
  '/sys',
];

/**
 * Opens directories under the configured roots. What is opened is what will be mounted: the directory is asked where
 * it really is, after it was opened, so neither a symbolic link nor a swap between check and use leads out of the roots.
 * The caller closes them.
 * @throws ASTRA_TOOL_INPUT_INVALID with a pointer into `mounts`
 */
export async function openMounts(mounts: readonly MountRequest[], rules: MountRules): Promise<OpenMount[]> {
  const realRules = { roots: await realPaths(rules.roots), stateDirectories: await realPaths(rules.stateDirectories) };
  const opened: OpenMount[] = [];
  try {
    for (const [index, mount] of mounts.entries()) opened.push(await openMount(mount, index, realRules));
    return opened;
  } catch (error) {
    await closeMounts(opened);
    throw error;
  }
}

export async function closeMounts(mounts: readonly OpenMount[]): Promise<void> {
  await Promise.all(mounts.map(({ directory }) => directory.close()));
}

async function openMount(
  mount: MountRequest,
  index: number,
  { roots, stateDirectories }: MountRules,
): Promise<OpenMount> {
  const at = normalize(mount.at ?? mount.path).replace(/(?<=.)\/+$/, '');
  if (!isAbsolute(mount.path)) throw refused(`/mounts/${index}/path`, 'must be an absolute path');
  if (!isAbsolute(at) || at === '/' || systemDirectories.some((directory) => isWithin(at, directory))) {
    throw refused(`/mounts/${index}/at`, `cannot be ${at}; choose an absolute path outside the system's directories`);
  }
  const directory = await open(mount.path, constants.O_RDONLY | constants.O_DIRECTORY).catch((error: unknown) => {
    // One message for "absent" and "outside": which paths exist outside the roots is nobody's business.
    throw refused(`/mounts/${index}/path`, notUnderRoots, error);
  });
  try {
    const real = await readlink(`/proc/self/fd/${directory.fd}`);
    const ofState = real.split(sep).includes(stateName) || stateDirectories.some((state) => isWithin(real, state));
    if (ofState || !roots.some((root) => isWithin(real, root))) throw refused(`/mounts/${index}/path`, notUnderRoots);
    const hidden = [...stateDirectories, ...(await realPaths([join(real, stateName)]))].filter((path) =>
      isWithin(path, real),
    );
    const masked = [...new Set(hidden)].map((path) => join(at, relative(real, path)));
    const { uid, gid } = await directory.stat();
    return { directory, at, mode: mount.mode, uid, gid, masked };
  } catch (error) {
    await directory.close();
    throw error;
  }
}

/** The local stack keeps keys, tokens and data in a directory of this name. */
const stateName = '.astra';

/** Of those that exist. */
async function realPaths(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => [])));
  return found.flat();
}

const notUnderRoots = 'is no readable directory under the roots that the operator allows (ASTRA_SHELL_ROOTS)';

const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : `${directory}${sep}`);

const refused = (pointer: string, message: string, cause?: unknown): AstraError =>
  new AstraError('ASTRA_TOOL_INPUT_INVALID', `The input of shell.run is not valid: ${pointer}: ${message}`, {
    faults: [{ pointer, message }],
    cause,
  });
