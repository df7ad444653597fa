import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob } from './matches-glob.ts';

test.each([
  ['shell.run', 'shell.run', true],
  ['shell.run', 'shell.runs', false],
  ['shell.*', 'shell.run', true],
  ['shell.*', 'shellxrun', false],
  ['*', '', true],
  ['*.delete', 'http.fetch.delete', true],
  ['*.delete', 'delete', false],
  ['a*b*c', 'abbc', true],
  ['a*b*c', 'acb', false],
  ['', 'a', false],
])('%s against %s: %s', (pattern, text, matches) => {
  expect(matchesGlob(pattern, text)).toBe(matches);
});

test('it is what a regular expression with .* in place of each star says', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
  fc.assert(
    fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 }), (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('.', '[.]').replaceAll('*', '.*')}$`);
      expect(matchesGlob(pattern, text)).toBe(expression.test(text));
    }),
  );
});

test('a pattern of many stars takes no time to fail', () => {
  expect(matchesGlob(`${'a*'.repeat(60)}b`, 'a'.repeat(128))).toBe(false);
});
