import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveSettings } from './settings.ts';

async function localStack(
  content = '{"apiUrl":"http://local","token":"local token","databaseUrl":"secret"}',
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'astra-settings-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, '.astra'));
  await mkdir(join(root, 'deep', 'down'), { recursive: true });
  await writeFile(join(root, '.astra', 'connection.json'), content);
  return join(root, 'deep', 'down');
}

describe('settings', () => {
  test('come from the flags before the environment before the local stack upwards from here', async () => {
    const cwd = await localStack();
    const env = { ASTRA_API_URL: 'http://env', ASTRA_TOKEN: 'env token' };
    expect(resolveSettings({ apiUrl: 'http://flag', token: 'flag token' }, env, cwd)).toEqual({
      apiUrl: 'http://flag',
      token: 'flag token',
    });
    expect(resolveSettings({}, env, cwd)).toEqual({ apiUrl: 'http://env', token: 'env token' });
    expect(resolveSettings({}, { ASTRA_API_URL: '' }, cwd)).toEqual({ apiUrl: 'http://local', token: 'local token' });
    expect(resolveSettings({ token: 'flag token' }, {}, cwd)).toEqual({ apiUrl: 'http://local', token: 'flag token' });
  });

  test('never give the local stack’s token to another API', async () => {
    const cwd = await localStack();
    expect(resolveSettings({ apiUrl: 'http://elsewhere' }, {}, cwd)).toEqual({
      apiUrl: 'http://elsewhere',
      token: undefined,
    });
    expect(resolveSettings({ apiUrl: 'http://local' }, {}, cwd)).toEqual({
      apiUrl: 'http://local',
      token: 'local token',
    });
  });

  test('are refused without showing what the file holds when it is broken', async () => {
    const cwd = await localStack('{"token":"secret",');
    expect(() => resolveSettings({}, {}, cwd)).toThrow(/connection\.json is not what the local stack writes/);
    expect(() => resolveSettings({}, {}, cwd)).not.toThrow(/secret/);
  });
});

test('a stack whose state lies elsewhere is found by ASTRA_STATE_DIR', async () => {
  const deep = await localStack();
  const env = { ASTRA_STATE_DIR: join(deep, '../../.astra') };
  expect(resolveSettings({}, env, '/')).toEqual({ apiUrl: 'http://local', token: 'local token' });
  expect(() => resolveSettings({}, {}, '/')).toThrow(/No API is known/);
});
