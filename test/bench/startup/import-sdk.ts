import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectDir } from '../../../infra/local/paths.ts';
import { buildSdk } from '../../../infra/package/build-sdk.ts';
import type { Variants } from '../harness/paired.ts';

const run = promisify(execFile);

/** Milliseconds that a new Node process takes for nothing, for one line of TypeScript, and for the SDK. */
export async function sdkImports(directory: string): Promise<Variants<'node' | 'package' | 'oneLine' | 'sources'>> {
  const oneLine = join(directory, 'one-line.ts');
  await writeFile(oneLine, 'export const one: number = 1;\n');
  const project = join(directory, 'project');
  await buildSdk(join(project, 'node_modules/@astra/sdk'));
  return {
    node: () => timeNode('0', project),
    package: () => timeNode(`import('@astra/sdk')`, project),
    oneLine: () => timeNode(`import('${oneLine}')`, project),
    sources: () => timeNode(`import('${join(projectDir, 'sdk/index.ts')}')`, project),
  };
}

async function timeNode(code: string, cwd: string): Promise<number> {
  const begun = performance.now();
  await run(process.execPath, ['-e', code], { cwd, env: { PATH: process.env['PATH'] } });
  return performance.now() - begun;
}
