/**
 * Does the text match a pattern in which `*` stands for any characters, none included? A star is given more only when
 * what follows it fails, so it takes O(pattern × text) where a regular expression may take exponentially long.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let [at, place] = [0, 0];
  let [star, resume] = [-1, 0];
  while (place < text.length) {
    if (pattern[at] === '*') {
      [star, resume] = [at, place];
      at += 1;
    } else if (pattern[at] === text[place]) {
      at += 1;
      place += 1;
    } else if (star >= 0) {
      resume += 1;
      [at, place] = [star + 1, resume];
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
