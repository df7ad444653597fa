import { AstraError } from '../../domain/errors.ts';
import type { ToolManifest } from '../../domain/schemas/tool.ts';
import type { Tool } from './define-tool.ts';

export interface ToolRegistry {
  /** Undefined when there is no such tool. */
  get(name: string): Tool | undefined;
  /** Sorted by name. */
  manifests(): readonly ToolManifest[];
}

/** @throws ASTRA_PARAMETER_INVALID when two tools have one name */
export function createToolRegistry({ tools }: { readonly tools: readonly Tool[] }): ToolRegistry {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    const { name } = tool.manifest;
    if (byName.has(name))
      throw new AstraError('ASTRA_PARAMETER_INVALID', `Two tools are called ${name}; rename one of them.`);
    byName.set(name, tool);
  }
  const manifests = [...byName.values()].map(({ manifest }) => manifest).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { get: (name) => byName.get(name), manifests: () => manifests };
}
