import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { commandContext, type CommandOptions, type FetchOptions, runCommand } from './run-command.ts';

const downloadTimeoutMs = 10 * 60_000;

export function debianBinary(executable: string, binDir: string): string {
  return join(binDir, `${executable}-debian`, executable);
}

/**
 * Fetches Debian packages, with those they depend on and the machine lacks, and unpacks them below `binDir`. They are not
 * installed: that would need root and would start a Redis and a Memcached of the machine's own. apt checks each file
 * against the distribution's signed lists, which is why no SHA-256 is pinned here.
 */
export async function fetchDebianPackage(
  executable: string,
  packages: string[],
  options: FetchOptions,
): Promise<string> {
  const binary = debianBinary(executable, options.binDir);
  if (existsSync(binary)) return binary;
  await mkdir(options.binDir, { recursive: true });
  const temporary = await mkdtemp(join(options.binDir, '.fetch-'));
  try {
    await downloadPackages(packages, temporary, commandContext(options));
    const tree = join(temporary, 'tree');
    for (const file of await readdir(temporary)) {
      if (file.endsWith('.deb'))
        await runCommand('dpkg-deb', ['-x', join(temporary, file), tree], commandContext(options));
    }
    await chmod(tree, 0o755);
    await writeLauncher(executable, tree);
    await rename(tree, dirname(binary)).catch((error: unknown) => {
      // Another start has fetched the same at the same time.
      if (!existsSync(binary)) throw error;
    });
    return binary;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function downloadPackages(packages: string[], directory: string, context: CommandOptions): Promise<void> {
  const attempt = async (): Promise<void> => {
    const simulated = await runCommand(
      'apt-get',
      ['install', '--simulate', '--no-install-recommends', '--yes', ...packages],
      context,
    );
    const missing = [...simulated.stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
    const all = [...new Set([...packages, ...missing])];
    await runCommand('apt-get', ['download', ...all], { ...context, cwd: directory, timeoutMs: downloadTimeoutMs });
  };
  try {
    await attempt();
  } catch (error) {
    // Package lists that are missing or stale; only root may fetch new ones.
    if (process.getuid?.() !== 0) throw error;
    await runCommand('apt-get', ['update', '--quiet'], { ...context, timeoutMs: downloadTimeoutMs });
    await attempt();
  }
}

/** A script that finds its own libraries: `exec` keeps the pid, so that signals reach the server itself. */
async function writeLauncher(executable: string, tree: string): Promise<void> {
  const libraries = new Set<string>();
  let program = '';
  for (const entry of await readdir(tree, { recursive: true, withFileTypes: true })) {
    const directory = entry.parentPath.slice(tree.length + 1);
    if (/\.so(\.\d+)*$/.test(entry.name)) libraries.add(directory);
    if (entry.name === executable && directory.endsWith('bin')) program = join(directory, executable);
  }
  if (program === '') throw new Error(`the packages hold no ${executable}`);
  const here = '$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)';
  const path = [...libraries].map((directory) => `$here/${directory}`).join(':');
  const environment = path === '' ? '' : `LD_LIBRARY_PATH="${path}" `;
  const script = `#!/bin/sh\nhere="${here}"\n${environment}exec "$here/${program}" "$@"\n`;
  await writeFile(join(tree, executable), script, { mode: 0o755 });
}
