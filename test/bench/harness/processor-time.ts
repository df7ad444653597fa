import { readdir, readFile } from 'node:fs/promises';

/** Clock ticks a second, which Linux fixes for its interfaces. */
const ticksPerSecond = 100;

interface ProcessTime {
  readonly parent: number;
  readonly seconds: number;
}

/** Processor seconds that a process and those it has started have used, of its ended children too. */
export async function processorSeconds(pid: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map(async (each) => [each, await readTime(each)] as const));
  const times = new Map(found.flatMap(([each, time]) => (time ? [[each, time] as const] : [])));
  const isWithin = (each: number): boolean => each === pid || (each > 1 && isWithin(times.get(each)?.parent ?? 0));
  return [...times].reduce((sum, [each, { seconds }]) => sum + (isWithin(each) ? seconds : 0), 0);
}

/** Null: it has ended meanwhile. */
async function readTime(pid: number): Promise<ProcessTime | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // After the name, which may hold anything: state, parent, …, utime, stime, cutime, cstime.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { parent: fields[1] ?? 0, seconds: ticks / ticksPerSecond };
}
