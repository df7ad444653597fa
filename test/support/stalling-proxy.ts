import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface StallingProxy {
  readonly port: number;
  /** From now on nothing comes back on connections on which `mark` was sent, now or later; nobody is told. */
  stall(): void;
  flow(): void;
  close(): void;
}

/** Stands before a server; its marked connections can be broken without a word, as a network breaks them. */
export async function startStallingProxy(upstreamPort: number, mark: string): Promise<StallingProxy> {
  const sockets = new Set<Socket>();
  const marked = new Set<Socket>();
  let stalled = false;
  const server = createServer((client) => {
    const upstream = connect(upstreamPort, '127.0.0.1');
    upstream.on('data', (chunk) => client.write(chunk));
    client.on('data', (chunk) => {
      if (chunk.includes(mark)) marked.add(upstream);
      if (stalled && marked.has(upstream)) upstream.pause();
      upstream.write(chunk);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        marked.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A TCP server's address is always an AddressInfo.
    port: (server.address() as AddressInfo).port,
    stall() {
      stalled = true;
      for (const upstream of marked) upstream.pause();
    },
    flow() {
      stalled = false;
      for (const upstream of marked) upstream.resume();
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
