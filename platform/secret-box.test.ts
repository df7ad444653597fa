import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSecretBox } from './secret-box.ts';

const keyOf = (bytes: Buffer) => ({ reveal: () => bytes.toString('base64') });
const owner = { tenant: 'a', name: 'webhook/whk_1' };
const notConfigured = expect.objectContaining({ code: 'ASTRA_SECRETS_NOT_CONFIGURED' }) as Error;

test('what is sealed opens again, and looks different each time', () => {
  const box = createSecretBox(keyOf(randomBytes(32)));
  const [one, two] = [box.seal('whsec_ä', owner), box.seal('whsec_ä', owner)];
  expect(one.equals(two)).toBe(false);
  expect(one.includes('whsec_')).toBe(false);
  expect([box.open(one, owner), box.open(two, owner)]).toEqual(['whsec_ä', 'whsec_ä']);
});

test('it opens under no other name, tenant or key, and not when a bit was changed', () => {
  const box = createSecretBox(keyOf(randomBytes(32)));
  const sealed = box.seal('secret', owner);
  expect(() => box.open(sealed, { ...owner, tenant: 'b' })).toThrow(notConfigured);
  expect(() => box.open(sealed, { ...owner, name: 'webhook/whk_2' })).toThrow(notConfigured);
  expect(() => createSecretBox(keyOf(randomBytes(32))).open(sealed, owner)).toThrow(notConfigured);
  for (const at of [1, 14, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(() => box.open(changed, owner), `byte ${at}`).toThrow(notConfigured);
  }
});

test('without a key the error says what to set', () => {
  expect(() => createSecretBox(undefined).seal('secret', owner)).toThrow('Set ASTRA_SECRETS_KEY');
});
