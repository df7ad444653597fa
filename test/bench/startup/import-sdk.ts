import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { transpile, ModuleKind, ScriptTarget } from 'typescript';
import { projectDir } from '../../../infra/local/paths.ts';
import type { Variants } from '../harness/paired.ts';

const run = promisify(execFile);
const sdk = join(projectDir, 'sdk');

/** Milliseconds that a new Node process takes for nothing, for one line of TypeScript, and for the SDK. */
export async function sdkImports(
  directory: string,
): Promise<Variants<'node' | 'oneLine' | 'sources' | 'cached' | 'script'>> {
  const oneLine = join(directory, 'one-line.ts');
  await writeFile(oneLine, 'export const one: number = 1;\n');
  const script = await compileSources(join(directory, 'sdk'));
  const cache = join(directory, 'compile-cache');
  return {
    node: () => timeNode('0'),
    oneLine: () => timeNode(`import('${oneLine}')`),
    sources: () => timeNode(`import('${sdk}/index.ts')`),
    cached: () => timeNode(`import('${sdk}/index.ts')`, { NODE_COMPILE_CACHE: cache }),
    script: () => timeNode(`import('${script}')`),
  };
}

async function timeNode(code: string, env: Readonly<Record<string, string>> = {}): Promise<number> {
  const begun = performance.now();
  await run(process.execPath, ['-e', code], { env: { PATH: process.env['PATH'], ...env } });
  return performance.now() - begun;
}

/** The SDK's modules as a package would carry them. */
async function compileSources(directory: string): Promise<string> {
  const options = { module: ModuleKind.ESNext, target: ScriptTarget.ES2024, rewriteRelativeImportExtensions: true };
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  for (const name of await readdir(sdk, { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
    const file = join(directory, name.replace(/ts$/, 'js'));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, transpile(await readFile(join(sdk, name), 'utf8'), options));
  }
  return join(directory, 'index.js');
}
