import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { projectDir } from '../local/paths.ts';

const sdk = join(projectDir, 'sdk');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Makes the SDK's package: Node strips no types below `node_modules`, so it carries JavaScript, and the declarations of
 * the domain that its types come from.
 * @param directory is made anew
 * @throws Error with what the compiler complains of
 */
export async function buildSdk(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  for (const [file, text] of compile(directory)) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  const own = await readManifest(sdk);
  const { dependencies } = await readManifest(projectDir);
  const packed = {
    ...own,
    exports: { '.': { types: './sdk/index.d.ts', default: './sdk/index.js' } },
    // For its types alone, which the domain infers from schemas: no module of the package imports it.
    dependencies: { zod: dependencies?.['zod'] },
  };
  await writeFile(join(directory, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
  await copyFile(join(sdk, 'README.md'), join(directory, 'README.md'));
  await copyFile(join(projectDir, 'LICENSE'), join(directory, 'LICENSE'));
}

/** Path → text of the SDK's modules and of all declarations. */
function compile(outDir: string): ReadonlyMap<string, string> {
  const { config } = ts.readConfigFile(join(sdk, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: object; // tsc checks it in each run
  };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, sdk, {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: projectDir,
    outDir,
  });
  const program = ts.createProgram([join(sdk, 'index.ts')], options);
  const written = new Map<string, string>();
  const { diagnostics } = program.emit(undefined, (file, text) => {
    if (file.endsWith('.d.ts') || file.startsWith(join(outDir, 'sdk'))) written.set(file, text);
  });
  const complaints = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (complaints.length > 0) {
    const host = { getCanonicalFileName: String, getCurrentDirectory: () => projectDir, getNewLine: () => '\n' };
    throw new Error(ts.formatDiagnostics(complaints, host));
  }
  return written;
}

// Both are the project's own.
const readManifest = async (directory: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Manifest;
