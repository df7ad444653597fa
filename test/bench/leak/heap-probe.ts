import { setImmediate as nextTurn } from 'node:timers/promises';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';

/**
 * Loaded into a process before all else (`--expose-gc --import`), and so into its threads: answers its parent's question
 * with the bytes that its heap and the one of Temporal's workflow thread hold once all garbage is collected. The threads
 * of inline tools stand still between calls and cannot answer.
 */
const channel = new BroadcastChannel('astra-heap-probe');

async function heldBytes(): Promise<number> {
  // What finalisers and weak references let go of is garbage one turn later.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function answerAsThread(): void {
  channel.onmessage = () => void heldBytes().then((bytes) => channel.postMessage(bytes));
  channel.unref();
  channel.postMessage('here');
}

function answerAsProcess(): void {
  let threads = 0;
  let answered: (bytes: number) => void = () => undefined;
  channel.onmessage = ({ data }: { data: unknown }) => {
    if (typeof data === 'number') answered(data);
    else threads += 1;
  };
  channel.unref();
  process.on('message', () => {
    void ask().then((bytes) => process.send?.(bytes));
  });
  process.channel?.unref();

  async function ask(): Promise<number> {
    let bytes = await heldBytes();
    // One at a time: a thread's collection is not disturbed by another's.
    if (threads > 0) {
      const { promise, resolve } = Promise.withResolvers<number>();
      answered = resolve;
      channel.postMessage('how much?');
      bytes += await promise;
    }
    return bytes;
  }
}

if (isMainThread) answerAsProcess();
else if (process.argv[1]?.endsWith('workflow-worker-thread.js')) answerAsThread();
