import { createServer, type ServerResponse } from 'node:http';
import { loadConfig } from '../../../platform/config.ts';
import { createRedis } from '../../../stores/redis.ts';

/**
 * The peer: an HTTP server without Astra that writes what it hears on one Redis channel to every stream that is open,
 * whatever was asked for. It reads nothing, remembers nothing and checks nobody.
 */
const channel = 'bench:fan-out';
const open = new Set<ServerResponse>();
const subscriber = createRedis(loadConfig(process.env));
subscriber.on('ready', () => void subscriber.subscribe(channel));
subscriber.on('message', (_channel, frame) => {
  for (const response of open) response.write(frame);
});

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('retry: 1000\n\n');
  open.add(response);
  response.once('close', () => open.delete(response));
});
server.listen(Number(process.env.ASTRA_API_PORT), '127.0.0.1');
