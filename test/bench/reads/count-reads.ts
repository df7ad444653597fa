import type { PinnedServer } from './pinned-server.ts';

type Source = 'memory' | 'redis' | 'postgres';
type Reads = Readonly<Record<Source, number>>;

/** How often the API processes ask whom from now until the function returned is called. */
export async function startCounting(servers: readonly PinnedServer[]): Promise<() => Promise<Reads>> {
  const before = await countAll(servers);
  return async () => {
    const after = await countAll(servers);
    return {
      memory: after.memory - before.memory,
      redis: after.redis - before.redis,
      postgres: after.postgres - before.postgres,
    };
  };
}

async function countAll(servers: readonly PinnedServer[]): Promise<Reads> {
  const pages = await Promise.all(servers.map(readMetrics));
  const of = (source: Source): number =>
    pages.reduce(
      (sum, page) => sum + Number(new RegExp(`reads_total\\{source="${source}"\\} (\\d+)`).exec(page)?.[1] ?? 0),
      0,
    );
  return { memory: of('memory'), redis: of('redis'), postgres: of('postgres') };
}

const readMetrics = async ({ adminPort }: PinnedServer): Promise<string> =>
  (await fetch(`http://127.0.0.1:${adminPort ?? 0}/metrics`)).text();
