/** A set of the integers 0 … size-1 that gives its least member. */
export interface ReadySet {
  readonly count: number;
  add(member: number): void;
  remove(member: number): void;
  /** Removes and returns the least member; -1 when there is none. */
  takeLeast(): number;
}

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/**
 * A bitmap with summary levels, 32 members a word and 32 words a summary word: each call touches one word a level, which
 * is three for 10,000 tasks. With members numbered in the order in which tasks should start, it is a priority queue
 * without comparisons.
 */
export function createReadySet(size: number): ReadySet {
  const levels: Int32Array[] = [];
  for (let words = Math.ceil(size / 32); ; words = Math.ceil(words / 32)) {
    levels.push(new Int32Array(Math.max(words, 1)));
    if (words <= 1) break;
  }
  let count = 0;

  const has = (member: number): boolean => (((levels[0]?.[member >>> 5] ?? 0) >>> (member & 31)) & 1) === 1;

  function add(member: number): void {
    if (has(member)) return;
    count += 1;
    let position = member;
    for (const level of levels) {
      const word = position >>> 5;
      level[word] = (level[word] ?? 0) | (1 << (position & 31));
      position = word;
    }
  }

  function remove(member: number): void {
    if (!has(member)) return;
    count -= 1;
    let position = member;
    for (const level of levels) {
      const word = position >>> 5;
      const left = (level[word] ?? 0) & ~(1 << (position & 31));
      level[word] = left;
      if (left !== 0) return;
      position = word;
    }
  }

  function takeLeast(): number {
    if (count === 0) return -1;
    const least = levels.reduceRight((word, level) => (word << 5) | lowestBit(level[word] ?? 0), 0);
    remove(least);
    return least;
  }

  return {
    get count() {
      return count;
    },
    add,
    remove,
    takeLeast,
  };
}
