import { accessSync, constants, existsSync, globSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Environment } from '../component.ts';
import type { BinaryNeed } from './binary-catalog.ts';
import { errorMessage } from '../error-message.ts';
import { runCommand } from './run-command.ts';

export interface Binary {
  /** The executable; for Postgres the directory of its executables. */
  path: string;
  version: string;
  /** Where it was found, for people. */
  source: string;
}

/** The machine's own copy of a program, from its PATH; null when there is none that is new enough and complete. */
export async function findOnPath(need: BinaryNeed, env: Environment): Promise<Binary | null> {
  const directories = (env.PATH ?? '').split(delimiter).filter((entry) => entry !== '');
  if (need.name === 'postgres') {
    directories.push(...globSync('/usr/lib/postgresql/*/bin').toSorted().reverse(), ...globSync('/usr/pgsql-*/bin'));
    directories.push(...globSync('/opt/homebrew/opt/postgresql@*/bin'), ...globSync('/usr/local/opt/postgresql@*/bin'));
  }
  for (const directory of directories) {
    const executable = join(directory, need.executable);
    if (!isExecutable(executable)) continue;
    if (need.name === 'postgres' && !hasPgvector(executable)) continue;
    const version = await versionOf(need, executable).catch(() => null);
    if (version === null || !atLeast(version, need.minimumVersion)) continue;
    const path = need.name === 'postgres' ? dirname(realpathSync(executable)) : executable;
    return { path, version, source: path };
  }
  return null;
}

/** What the environment names, which must then be usable. */
export async function namedByEnvironment(need: BinaryNeed, env: Environment): Promise<Binary | null> {
  const named = env[need.variable];
  if (named === undefined || named === '') return null;
  const executable = need.name === 'postgres' ? join(named, need.executable) : named;
  const version = await versionOf(need, executable).catch((error: unknown) => {
    throw new Error(`${need.variable}=${named} cannot be used: ${errorMessage(error)}`);
  });
  if (!atLeast(version, need.minimumVersion)) {
    throw new Error(
      `${need.variable}=${named} is ${need.title} ${version}; ${need.minimumVersion} or later is needed.`,
    );
  }
  return { path: named, version, source: `${need.variable}=${named}` };
}

/** The program's version as it tells it, such as `18.1`. */
export async function versionOf(need: BinaryNeed, executable: string): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', ...(need.name === 'postgres' && postgresLibraries(dirname(executable))) };
  const { stdout, stderr } = await runCommand(executable, need.versionArgs, { env });
  const version = /(?<![\w.])v?=?(\d+\.\d+(?:\.\d+)?)(?![\w.])/.exec(`${stdout}${stderr}`)?.[1];
  if (version === undefined) throw new Error(`it does not tell its version: ${stdout}${stderr}`);
  return version;
}

/**
 * Where a Postgres that was unpacked and not installed finds the libraries it brings: its own run path covers those that
 * it names itself, not those that these need in turn.
 */
export function postgresLibraries(bin: string): { LD_LIBRARY_PATH: string } {
  return { LD_LIBRARY_PATH: join(bin, '..', 'lib') };
}

/** Compares dotted versions number by number. */
export function atLeast(version: string, minimum: string): boolean {
  const have = version.split('.').map(Number);
  for (const [index, wanted] of minimum.split('.').map(Number).entries()) {
    const difference = (have[index] ?? 0) - wanted;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A Postgres without pgvector cannot hold Astra's memories; distributions package the extension apart. */
function hasPgvector(executable: string): boolean {
  const bin = dirname(realpathSync(executable));
  const release = /postgresql[@/](\d+)/.exec(bin)?.[1] ?? '';
  const shares = ['share', 'share/postgresql', `share/postgresql@${release}`].map((share) => join(bin, '..', share));
  const candidates = [...shares, `/usr/share/postgresql/${release}`, '/usr/share/pgsql'];
  return (
    existsSync(join(bin, 'initdb')) &&
    candidates.some((share) => existsSync(join(share, 'extension', 'vector.control')))
  );
}
