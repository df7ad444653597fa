import type { PinnedServer } from './pinned-server.ts';

type Source = 'memory' | 'redis' | 'postgres';

/** How often an API process has asked whom since it began. */
export async function countReads({ adminPort }: PinnedServer): Promise<Readonly<Record<Source, number>>> {
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort ?? 0}/metrics`)).text();
  const of = (source: Source): number =>
    Number(new RegExp(`astra_reads_total\\{source="${source}"\\} (\\d+)`).exec(metrics)?.[1] ?? 0);
  return { memory: of('memory'), redis: of('redis'), postgres: of('postgres') };
}
