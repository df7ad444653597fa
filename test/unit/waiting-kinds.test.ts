import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { waitingKinds } from '../../domain/schemas/waiting.ts';

test('docs/guides/why-is-it-waiting.md says of each kind what the code says, and of no other', async () => {
  const page = await readFile(new URL('../../docs/guides/why-is-it-waiting.md', import.meta.url), 'utf8');
  const described = [...page.matchAll(/^\| `([a-z_]+)` +\| (.+?) +\|$/gm)].map(([, kind, text]) => [kind, text]);
  expect(described).toEqual(Object.entries(waitingKinds));
});
