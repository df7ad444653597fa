import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool } from '../../activities/tools/define-tool.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import { checkEditedInput } from './check-edited-input.ts';

const { manifest } = defineTool({
  name: 'mail.send',
  description: 'Sends.',
  input: z.object({ to: z.string().min(3), copies: z.int().default(1) }),
  output: z.null(),
  effect: 'once',
  risk: 'high',
  run: () => null,
});
const catalogue = async () => new Map([[manifest.name, manifest]]);
const risky = { kind: 'risky_task', tool: 'mail.send', map: null } as const;
const check = (about: Pick<Approval, 'kind' | 'tool' | 'map'>, input: { readonly [key: string]: string }) =>
  checkEditedInput(catalogue, about, input);
const refusedAt = (...pointers: string[]): object => ({
  code: 'ASTRA_BODY_INVALID',
  faults: pointers.map((pointer) => ({ pointer })),
});

test('what a tool takes may take the place of its input', async () => {
  await expect(check(risky, { to: 'bob' })).resolves.toBeUndefined();
});

test('what it does not take is refused, with a pointer for each fault', async () => {
  await expect(check(risky, { to: 'x', cc: 'ann' })).rejects.toMatchObject(
    refusedAt('/editedInput/cc', '/editedInput/to'),
  );
  await expect(check(risky, {})).rejects.toMatchObject(refusedAt('/editedInput/to'));
});

test('an approval task is given anything; a plan, a map and a tool that is gone nothing', async () => {
  const task = { ...risky, kind: 'task', tool: null } as const;
  await expect(check(task, { any: 'thing' })).resolves.toBeUndefined();
  for (const about of [
    { ...task, kind: 'plan' } as const,
    { ...risky, map: { items: 2, sample: [] } },
    { ...risky, tool: 'gone.tool' },
  ]) {
    await expect(check(about, { to: 'bob' })).rejects.toMatchObject(refusedAt('/editedInput'));
  }
});
