import { createServer } from 'node:http';

/** Stands for the API or the worker where only the launcher is tested: ready as soon as it listens; answers its pid. */
export function standIn(port: string | undefined): void {
  createServer((_request, response) => {
    response.end(JSON.stringify({ pid: process.pid }));
  }).listen(Number(port), '127.0.0.1');
}
