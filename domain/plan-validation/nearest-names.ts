/** Levenshtein's distance by Wagner and Fischer's algorithm, with one row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const substitution = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(substitution, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** A plan full of wrong names must not cost a comparison of each with all. */
const suggestions = 20;
const namesGiven = 3;

/** A function that says which names a wrong one may have meant; '' when none is near, or after some uses. */
export function createSuggester(names: Iterable<string>): (wrong: string) => string {
  let left = suggestions;
  return (wrong) => {
    if (left === 0) return '';
    left -= 1;
    const furthest = Math.max(2, Math.trunc(wrong.length / 3));
    const near = [...names]
      .map((name) => ({ name, distance: name.includes(wrong) ? 0 : editDistance(wrong, name) }))
      .filter(({ distance }) => distance <= furthest)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, namesGiven);
    return near.length === 0 ? '' : `; did you mean ${near.map(({ name }) => `"${name}"`).join(' or ')}?`;
  };
}
