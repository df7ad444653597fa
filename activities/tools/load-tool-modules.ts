import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AstraError } from '../../domain/errors.ts';
import type { Tool } from './define-tool.ts';

/**
 * Users' own tools: each module exports `tools`, an array of what `defineTool` gives. Loaded by the worker and again by
 * each thread of the inline pool. Relative paths count from the process's directory.
 * @throws ASTRA_PARAMETER_INVALID naming the module
 */
export async function loadToolModules(paths: readonly string[]): Promise<Tool[]> {
  const modules = await Promise.all(paths.map(loadToolModule));
  return modules.flat();
}

async function loadToolModule(path: string): Promise<readonly Tool[]> {
  const loaded: unknown = await import(pathToFileURL(resolve(path)).href).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AstraError('ASTRA_PARAMETER_INVALID', `ASTRA_TOOL_MODULES: ${path} cannot be loaded: ${reason}`, {
      cause: error,
    });
  });
  if (typeof loaded === 'object' && loaded !== null && 'tools' in loaded && isToolList(loaded.tools))
    return loaded.tools;
  const hint = `ASTRA_TOOL_MODULES: ${path} must export \`tools\`, an array of what defineTool gives.`;
  throw new AstraError('ASTRA_PARAMETER_INVALID', hint);
}

const isToolList = (value: unknown): value is readonly Tool[] => Array.isArray(value) && value.every(isTool);
const isTool = (value: unknown): value is Tool =>
  typeof value === 'object' &&
  value !== null &&
  'manifest' in value &&
  'run' in value &&
  typeof value.run === 'function';
