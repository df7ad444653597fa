import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** What the figures were taken on. */
export function describeMachine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${memory}, Linux ${release()}, Node ${process.version}`;
}
