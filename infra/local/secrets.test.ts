import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadSecrets, type Secrets } from './secrets.ts';

test('secrets are made once; a file of before there were webhooks gets their key and keeps the rest', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'astra-secrets-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'secrets.json');
  const made = await loadSecrets(path);
  expect(Buffer.from(made.secretsKey, 'base64')).toHaveLength(32);
  expect(await loadSecrets(path)).toEqual(made);

  const { secretsKey: _, ...earlier } = JSON.parse(readFileSync(path, 'utf8')) as Secrets;
  writeFileSync(path, JSON.stringify(earlier));
  const upgraded = await loadSecrets(path);
  expect(upgraded).toEqual({ ...earlier, secretsKey: upgraded.secretsKey });
  expect(await loadSecrets(path)).toEqual(upgraded);
});
