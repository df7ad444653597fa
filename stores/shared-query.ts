interface Sharing<T> {
  readonly running: Promise<T>;
  next: Promise<T> | null;
}

/**
 * Lets callers who ask for the same thing at the same time share a query. Nobody is given an answer of a query that
 * began before they asked, so whoever has just been told of a change sees it: those who come while one runs share the
 * next.
 */
export function createSharedQuery<T>(): (key: string, query: () => Promise<T>) => Promise<T> {
  const sharings = new Map<string, Sharing<T>>();

  function start(key: string, query: () => Promise<T>): Promise<T> {
    const sharing: Sharing<T> = { running: query(), next: null };
    sharings.set(key, sharing);
    const end = (): void => {
      if (sharing.next === null) sharings.delete(key);
    };
    sharing.running.then(end, end);
    return sharing.running;
  }

  return (key, query) => {
    const current = sharings.get(key);
    if (!current) return start(key, query);
    const startNext = (): Promise<T> => start(key, query);
    current.next ??= current.running.then(startNext, startNext);
    return current.next;
  };
}
