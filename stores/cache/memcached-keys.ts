import { connect } from 'node:net';

const command = 'lru_crawler metadump all\r\n';
/** Without a byte received. */
const idleMs = 10_000;

/**
 * The keys of one server that begin so. It walks all of its items, which disturbs nobody; memjs speaks the binary protocol,
 * which cannot ask for it.
 * @param server host:port
 * @throws an Error when the server does not answer, or does not know the question
 */
export async function* memcachedKeys(server: string, prefix: string): AsyncGenerator<string, void, undefined> {
  const { hostname, port } = new URL(`memcached://${server}`);
  const socket = connect({ host: hostname, port: Number(port || 11_211) });
  socket.setTimeout(idleMs, () => socket.destroy(new Error(`${server} does not answer`)));
  socket.setEncoding('latin1');
  socket.write(command);
  try {
    let rest = '';
    for await (const chunk of socket) {
      // With an encoding a socket gives texts.
      const lines = (rest + (chunk as string)).split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'END') return;
        const key = /^key=(\S+) /.exec(line)?.[1];
        if (key === undefined) throw new Error(`${server} cannot list its keys: ${line}`);
        if (decodeURIComponent(key).startsWith(prefix)) yield decodeURIComponent(key);
      }
    }
    throw new Error(`${server} has closed the connection`);
  } finally {
    socket.destroy();
  }
}
