import { connect, createServer } from 'node:net';

export const preferredPorts = {
  api: 8700,
  apiAdmin: 8701,
  workerAdmin: 8702,
  temporal: 7233,
  temporalUi: 8233,
  temporalHttp: 7243,
  temporalMetrics: 7253,
  postgres: 5433,
  redis: 6390,
  memcached: 11222,
  s3: 8333,
  s3Grpc: 18333,
  s3Master: 9333,
  s3MasterGrpc: 19333,
  s3Volume: 8380,
  s3VolumeGrpc: 18380,
  s3Filer: 8888,
  s3FilerGrpc: 18888,
} as const;
export type PortName = keyof typeof preferredPorts;

export interface PortAllocator {
  /** A free loopback port that this allocator has not given before. */
  take(name: PortName): Promise<number>;
}

const candidates = 200;

/** `preferred` moves on from a taken default to the next free port; `any` lets the operating system choose (tests). */
export function createPortAllocator(strategy: 'preferred' | 'any'): PortAllocator {
  const given = new Set<number>();
  return {
    async take(name) {
      const first = preferredPorts[name];
      for (let offset = 0; offset < candidates; offset += 1) {
        const port = strategy === 'any' ? await ephemeralPort() : first + offset;
        if (given.has(port)) continue;
        // Claimed before the wait: components ask at the same time.
        given.add(port);
        if (strategy === 'any' || (await isFree(port))) return port;
      }
      throw new Error(`No free port for ${name} on 127.0.0.1: ${first} to ${first + candidates - 1} are all taken.`);
    },
  };
}

async function isFree(port: number): Promise<boolean> {
  // Binding alone is not enough: macOS lets 127.0.0.1 be bound where another program listens on all addresses.
  return (await canListen(port)) && !(await answers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on a loopback port. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.setTimeout(1000, () => done(false));
  });
}

function ephemeralPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
