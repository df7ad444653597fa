import { readdir, readFile } from 'node:fs/promises';

/** Pids of this machine's processes whose command line has the text. Linux only, as sandboxed commands are. */
export async function processesWith(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // One that ended meanwhile has no command line.
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return commandLine.includes(text) ? [pid] : [];
    }),
  );
  return found.flat();
}
