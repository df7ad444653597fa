import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { serveBench } from '../submit/bench-child.ts';

/** Holds streams open on sockets of its own and notes how late each event comes. */
export type ReadersRequest =
  | { readonly kind: 'open'; readonly port: number; readonly goalIds: readonly string[] }
  /** Answers when the open streams have got so many events altogether, or the time is up. */
  | { readonly kind: 'await'; readonly events: number; readonly timeoutMs: number }
  | { readonly kind: 'close' };

export interface ReadersAnswer {
  /** Of each event that came since the last request: from the time it bears until its socket had it. */
  readonly latenciesMs: readonly number[];
}

const host = '127.0.0.1';
const authorization = `Bearer ${process.env.BENCH_TOKEN ?? ''}`;
const opening = 50;

let sockets: Socket[] = [];
let latenciesMs: number[] = [];
let notify = (): void => undefined;

async function openStream(port: number, goalId: string): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  const head = [`GET /v1/goals/${goalId}/events HTTP/1.1`, `Host: ${host}`, `Authorization: ${authorization}`];
  socket.write([...head, 'Accept: text/event-stream', '', ''].join('\r\n'));
  // The first chunk is the answer's head and what is recorded already.
  const [first] = (await once(socket, 'data')) as [Buffer]; // a socket without an encoding
  if (!first.toString('latin1').startsWith('HTTP/1.1 200')) throw new Error(first.toString('latin1'));
  socket.on('data', (chunk) => {
    const now = Date.now();
    for (const [, at = ''] of chunk.toString('latin1').matchAll(/"at":"([^"]+)"/g))
      latenciesMs.push(now - Date.parse(at));
    notify();
  });
  return socket;
}

async function openAll(port: number, goalIds: readonly string[]): Promise<void> {
  const left = goalIds.values();
  const lane = async (): Promise<void> => {
    for (const goalId of left) sockets.push(await openStream(port, goalId));
  };
  await Promise.all(Array.from({ length: opening }, lane));
}

async function awaitEvents(events: number, timeoutMs: number): Promise<void> {
  const enough = Promise.withResolvers<null>();
  const timer = setTimeout(() => enough.resolve(null), timeoutMs);
  notify = () => {
    if (latenciesMs.length >= events) enough.resolve(null);
  };
  notify();
  await enough.promise;
  clearTimeout(timer);
}

serveBench(async (request: ReadersRequest): Promise<ReadersAnswer> => {
  if (request.kind === 'open') {
    await openAll(request.port, request.goalIds);
    latenciesMs = [];
  } else if (request.kind === 'await') await awaitEvents(request.events, request.timeoutMs);
  else {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  }
  const answer = { latenciesMs };
  latenciesMs = [];
  return answer;
});
