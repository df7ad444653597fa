import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process of a bench's own that answers one request at a time. */
export interface BenchChild<Request extends object, Answer> {
  readonly process: ChildProcess;
  ask(request: Request): Promise<Answer>;
}

/**
 * Forks a script that calls `serveBench`; resolves once it is ready.
 * @param options.guard ends the child with its parent, as `Stack.guard` does
 */
export async function startBenchChild<Request extends object, Answer>(
  script: string,
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly guard: (child: ChildProcess) => Promise<void>;
  },
): Promise<BenchChild<Request, Answer>> {
  const child = fork(script, [], { env: { ...options.env }, serialization: 'advanced' });
  await options.guard(child);
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${script} ended with ${String(code)}`);
  });
  // Whoever waits for an answer is told; nobody may be waiting.
  gone.catch(() => undefined);
  const answer = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), gone])) as [unknown]; // what `once` gives
    return message;
  };
  await answer();
  return {
    process: child,
    async ask(request) {
      child.send(request);
      return (await answer()) as Answer; // the script's `serveBench` has the same types
    },
  };
}

/** The other side: says that it is ready, then answers what its parent asks. A failure ends the process. */
export function serveBench(answer: (request: never) => Promise<unknown>): void {
  process.on('message', (request) => {
    // Only its parent, which has the same types, writes to it.
    void answer(request as never).then((result) => process.send?.(result));
  });
  process.send?.('ready');
}
