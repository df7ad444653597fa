import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AstraError } from '../domain/errors.ts';

/** Modules of users' own: what they have in common. */
interface ModuleKind<T> {
  /** Environment variable that names the modules. */
  readonly variable: string;
  /** What each module exports: a list of what `maker` gives. */
  readonly exported: string;
  readonly maker: string;
  readonly isItem: (value: unknown) => value is T;
}

/**
 * What the modules export, in order. Relative paths count from the process's directory.
 * @throws ASTRA_PARAMETER_INVALID naming the module
 */
export async function loadModules<T>(paths: readonly string[], kind: ModuleKind<T>): Promise<T[]> {
  const modules = await Promise.all(paths.map((path) => loadModule(path, kind)));
  return modules.flat();
}

async function loadModule<T>(
  path: string,
  { variable, exported, maker, isItem }: ModuleKind<T>,
): Promise<readonly T[]> {
  const loaded: unknown = await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AstraError('ASTRA_PARAMETER_INVALID', `${variable}: ${path} cannot be loaded: ${reason}`, {
      cause: error,
    });
  });
  // What was imported is a module's namespace, an object.
  const items = (loaded as Readonly<Record<string, unknown>>)[exported];
  if (Array.isArray(items) && items.every(isItem)) return items;
  const hint = `${variable}: ${path} must export \`${exported}\`, an array of what ${maker} gives.`;
  throw new AstraError('ASTRA_PARAMETER_INVALID', hint);
}
