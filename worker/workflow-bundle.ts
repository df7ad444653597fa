import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { Logger } from '../platform/logger.ts';

const projectDir = fileURLToPath(new URL('..', import.meta.url));
const prefix = 'workflows-';

/**
 * The workflows as one script. Made once for each state of the sources and kept: to make it takes webpack 1.2 s, to read it
 * 2 ms (2 cores). Where it cannot be kept it is made at each start.
 */
export async function loadWorkflowBundle(
  logger: Pick<Logger, 'info' | 'warn'>,
  { root = projectDir }: { readonly root?: string } = {},
): Promise<{ readonly code: string }> {
  const key = await bundleKey(root);
  const directory = join(root, 'node_modules/.cache/astra');
  const file = join(directory, `${prefix}${key}.js`);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) return { code: kept };
  const begin = performance.now();
  const code = await bundle(root);
  const milliseconds = Math.round(performance.now() - begin);
  logger.info({ bytes: code.length, milliseconds }, 'bundled the workflows');
  // A source that was changed meanwhile may be in it or not.
  if (key !== null && key === (await bundleKey(root))) {
    await keep(directory, file, code).catch((err: unknown) => logger.warn({ err }, 'the workflow bundle is not kept'));
  }
  return { code };
}

/**
 * Names everything that a bundle is made from: the only two rooms that it may take its modules from (types aside), what
 * npm has installed, how modules are resolved there, and this file, which has the options. Packages are named by their
 * versions: who edits one in place removes `node_modules/.cache`. Null when nobody knows what is installed.
 */
export async function bundleKey(root: string): Promise<string | null> {
  const rooms = ['workflows', 'domain'].map(async (room) => {
    const entries = await readdir(join(root, room), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  });
  const installed = join(root, 'node_modules/.package-lock.json');
  const files = [...(await Promise.all(rooms)).flat().sort(), join(root, 'package.json'), installed];
  try {
    const texts = await Promise.all([...files, fileURLToPath(import.meta.url)].map((file) => readFile(file)));
    const hash = createHash('sha256').update(
      JSON.stringify([process.version, files, texts.map(({ length }) => length)]),
    );
    for (const text of texts) hash.update(text);
    return hash.digest('hex').slice(0, 32);
  } catch {
    return null;
  }
}

async function bundle(root: string): Promise<string> {
  const workflowsPath = join(root, 'workflows/index.ts');
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    // Evaluated once for all goals rather than for each: no module of the workflows keeps state of its own.
    preloadModules: [workflowsPath],
    logger: new DefaultLogger('ERROR'),
  });
  return code;
}

/** Whole or not at all, however many workers do so at once; those of older sources go. */
async function keep(directory: string, file: string, code: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, code);
  await rename(unfinished, file);
  const bundles = (await readdir(directory)).filter((name) => name.startsWith(prefix) && name.endsWith('.js'));
  const others = bundles.map((name) => join(directory, name)).filter((path) => path !== file);
  await Promise.all(others.map((path) => rm(path, { force: true })));
}
