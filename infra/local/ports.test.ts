import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answers, createPortAllocator, preferredPorts } from './ports.ts';

const servers: Server[] = [];

function listen(port: number, host: string): Promise<void> {
  const server = createServer();
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, resolve);
  });
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('createPortAllocator', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('moves on from a port that is taken on %s', async (host) => {
    const first = await createPortAllocator('preferred').take('redis');
    await listen(first, host);
    expect(await createPortAllocator('preferred').take('redis')).toBeGreaterThan(first);
  });

  it('gives a port once, also when components ask at the same time', async () => {
    const allocator = createPortAllocator('preferred');
    const ports = await Promise.all(Array.from({ length: 20 }, () => allocator.take('temporal')));
    expect(new Set(ports).size).toBe(20);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(preferredPorts.temporal);
  });

  it('gives free ports away from the defaults when any will do', async () => {
    const port = await createPortAllocator('any').take('api');
    expect(await answers(port)).toBe(false);
    await listen(port, '127.0.0.1');
    expect(await answers(port)).toBe(true);
  });
});
