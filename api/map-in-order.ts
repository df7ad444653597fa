/** What `work` makes of each item, in their order; at most `parallel` are under way, and none begins that nobody will take. */
export async function* mapInOrder<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  parallel: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const underWay: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const begun = work(item);
      // What fails is thrown in its turn; until then it has been handled.
      begun.catch(() => undefined);
      underWay.push(begun);
      if (underWay.length < parallel) continue;
      // It has been pushed just now.
      yield await (underWay.shift() as Promise<R>);
    }
    for (let next = underWay.shift(); next; next = underWay.shift()) yield await next;
  } finally {
    // Whoever stops taking still waits for what has begun.
    await Promise.allSettled(underWay);
  }
}
