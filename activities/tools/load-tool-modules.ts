import { loadModules } from '../load-modules.ts';
import type { Tool } from './define-tool.ts';

/**
 * Users' own tools: each module exports `tools`, an array of what `defineTool` gives. Loaded by the worker and again by
 * each thread of the inline pool.
 * @throws ASTRA_PARAMETER_INVALID naming the module
 */
export const loadToolModules = (paths: readonly string[]): Promise<Tool[]> =>
  loadModules(paths, { variable: 'ASTRA_TOOL_MODULES', exported: 'tools', maker: 'defineTool', isItem: isTool });

const isTool = (value: unknown): value is Tool =>
  typeof value === 'object' &&
  value !== null &&
  'manifest' in value &&
  'run' in value &&
  typeof value.run === 'function';
