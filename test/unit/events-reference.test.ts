import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { eventTypes } from '../../domain/schemas/event.ts';

test('docs/reference/events.md describes each event type, and no other', async () => {
  const page = await readFile(new URL('../../docs/reference/events.md', import.meta.url), 'utf8');
  const described = [...page.matchAll(/^\| `([a-z]+\.[a-z_]+)`/gm)].map(([, type]) => type);
  expect(described).toEqual([...eventTypes]);
});
