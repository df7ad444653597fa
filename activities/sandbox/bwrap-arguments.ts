import { dirname } from 'node:path';
import type { SandboxLimits } from './limits.ts';

export interface SandboxLayout {
  readonly mounts: readonly LaidOutMount[];
  /** Child's file descriptors that the synthesised files are read from. */
  readonly passwdFd: number;
  readonly groupFd: number;
  readonly user: SandboxUser;
  readonly network: boolean;
  readonly cwd: string;
  readonly command: string;
  readonly limits: SandboxLimits;
}
interface LaidOutMount {
  /** The directory, as a file descriptor of the child's. */
  readonly fd: number;
  readonly at: string;
  readonly mode: 'ro' | 'rw';
  readonly masked: readonly string[];
}
/**
 * Who the command runs as. `map`: the worker is no root, a user namespace shows its user as `uid`. `drop`: the worker
 * is root, so bubblewrap sets the mounts up as root (it reaches directories below a closed /root) and then really
 * becomes `uid` before a user namespace is entered.
 */
export interface SandboxUser {
  readonly how: 'map' | 'drop';
  readonly uid: number;
  readonly gid: number;
}

/** System files that programs need and that hold nothing of the host's own; absent ones are left out. */
const systemFiles = [
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/ca-trust',
  '/etc/pki/tls/certs',
];
const networkFiles = ['/etc/hosts', '/etc/resolv.conf'];
const sharedMemoryBytes = 64 * 1024 * 1024;

/** For `bwrap --args`: namespaces, the file system as the command sees it, then the command with its limits. */
export function bwrapArguments(layout: SandboxLayout): string[] {
  return [...namespaces(layout), ...fileSystem(layout), '--chdir', layout.cwd];
}

function namespaces({ user, network }: SandboxLayout): string[] {
  return [
    ...['--unshare-ipc', '--unshare-pid', '--unshare-uts', '--unshare-cgroup-try', '--hostname', 'sandbox'],
    ...(network ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...(user.how === 'map'
      ? ['--unshare-user', '--disable-userns', '--uid', String(user.uid), '--gid', String(user.gid)]
      : ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']),
  ];
}

function fileSystem(layout: SandboxLayout): string[] {
  const readable = [...systemFiles, ...(layout.network ? networkFiles : [])];
  return [
    ...['--ro-bind', '/usr', '/usr'],
    // Links into /usr on merged systems, directories on others; a bind mount follows either.
    ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap((path) => ['--ro-bind-try', path, path]),
    ...openDirectory('/etc'),
    ...readable.flatMap((path) => [...openDirectory(dirname(path)), '--ro-bind-try', path, path]),
    ...['--perms', '0444', '--file', String(layout.passwdFd), '/etc/passwd'],
    ...['--perms', '0444', '--file', String(layout.groupFd), '/etc/group'],
    ...['--proc', '/proc', '--dev', '/dev'],
    ...tmpfs('/dev/shm', sharedMemoryBytes),
    ...tmpfs('/tmp', layout.limits.tmpBytes),
    // Outer directories first, so that none hides another.
    ...layout.mounts.toSorted((a, b) => a.at.length - b.at.length).flatMap(bindMount),
    // What bubblewrap made around the mounts is memory of the host: without this it could be filled.
    ...['--remount-ro', '/dev', '--remount-ro', '/'],
  ];
}

const bindMount = ({ fd, at, mode, masked }: LaidOutMount): string[] => [
  ...[...openDirectory(at), mode === 'ro' ? '--ro-bind-fd' : '--bind-fd', String(fd), at],
  ...masked.flatMap((path) => ['--perms', '0555', '--tmpfs', path, '--remount-ro', path]),
];
/** Directories that bubblewrap makes on the way to a mount are closed to all but the worker's user unless made first. */
const openDirectory = (path: string): string[] => ['--perms', '0755', '--dir', path];
const tmpfs = (path: string, sizeBytes: number): string[] => [
  '--perms',
  '1777',
  '--size',
  String(sizeBytes),
  '--tmpfs',
  path,
];

/**
 * The command behind the programs that give up privileges and set the limits (util-linux). The limit on processes must
 * be set inside the user namespace: since Linux 5.14 each user namespace counts its own, so that sandboxes do not
 * starve each other; and it does not bind the real root at all.
 */
export function limitedCommand({ user, limits, command }: SandboxLayout): string[] {
  const { uid, gid } = user;
  const drop = [
    '/usr/bin/setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--ambient-caps=-all',
  ];
  return [
    ...(user.how === 'drop' ? [...drop, '--', '/usr/bin/unshare', '--user', '--map-current-user', '--'] : []),
    '/usr/bin/prlimit',
    // The hard limit above the soft one leaves the kernel a second in which SIGXCPU, which tells the reason, can end it.
    `--cpu=${limits.cpuSeconds}:${limits.cpuSeconds + 1}`,
    `--data=${limits.memoryBytes}`,
    `--nproc=${limits.processes}`,
    `--fsize=${limits.fileBytes}`,
    `--nofile=${limits.openFiles}`,
    '--core=0',
    '--',
    ...['/bin/sh', '-c', command],
  ];
}
