import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectDir } from '../../infra/local/paths.ts';
import { buildSdk } from '../../infra/package/build-sdk.ts';

const run = promisify(execFile);

/** Another project, with the package among its modules. */
let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'astra-sdk-'));
  await buildSdk(join(project, 'node_modules/@astra/sdk'));
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rm(project, { recursive: true, force: true }));

test('the package runs in a project that has nothing else', async () => {
  const code = `import { createAstra } from '@astra/sdk';
    const astra = createAstra({ apiUrl: 'http://127.0.0.1:9', retries: 0 });
    await astra.goals.get('gol_0').catch((error) => console.log(error.code));`;
  await writeFile(join(project, 'try.js'), code);
  const { stdout } = await run(process.execPath, ['try.js'], { cwd: project });
  expect(stdout.trim()).toBe('ASTRA_CONNECTION');
});

test('its types are the server’s', async () => {
  await symlink(join(projectDir, 'node_modules/zod'), join(project, 'node_modules/zod'));
  const compilerOptions = { module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom'], strict: true, noEmit: true };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['good.ts', 'bad.ts'] }));
  const use = (status: string): string => `import { createAstra } from '@astra/sdk';
    const { status } = await createAstra({ apiUrl: 'http://a' }).goals.get('gol_0');
    export const ended: boolean = status === '${status}';`;
  await writeFile(join(project, 'good.ts'), use('completed'));
  await writeFile(join(project, 'bad.ts'), use('complete'));
  const tsc = join(projectDir, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8' });
  expect(stdout).toMatch(/^\S*bad\.ts\(3,.*TS2367/);
  expect(stdout).not.toContain('good.ts');
});
