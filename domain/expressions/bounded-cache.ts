/** A cache by text. When the texts in it grow beyond its bound, the least recently used go. */
export interface BoundedCache<V> {
  get(text: string, make: () => V): V;
}

export function createBoundedCache<V>(maxChars: number): BoundedCache<V> {
  // A Map keeps the order of insertion: the first entry is the one unused for longest.
  const entries = new Map<string, V>();
  let chars = 0;
  return {
    get(text, make) {
      const found = entries.get(text);
      const value = found ?? make();
      if (found === undefined) chars += text.length;
      else entries.delete(text);
      entries.set(text, value);
      for (const oldest of entries.keys()) {
        if (chars <= maxChars) break;
        entries.delete(oldest);
        chars -= oldest.length;
      }
      return value;
    },
  };
}
