import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server whose downloads never end. */
export interface DownloadServer {
  readonly url: string;
  /** Paths of the downloads under way. */
  readonly open: ReadonlySet<string>;
  stop(): Promise<void>;
}

const chunk = Buffer.alloc(512, 'x');
const everyMs = 50;

export async function startDownloadServer(): Promise<DownloadServer> {
  const open = new Set<string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    open.add(path);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    const timer = setInterval(() => response.write(chunk), everyMs);
    response.once('close', () => {
      clearInterval(timer);
      open.delete(path);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    open,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
