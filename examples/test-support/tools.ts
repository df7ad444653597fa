import { createHash } from 'node:crypto';
import { createSandbox } from '../../activities/sandbox/create-sandbox.ts';
import { builtInTools } from '../../activities/tools/built-in-tools.ts';
import type { Tool, ToolContext } from '../../activities/tools/define-tool.ts';
import { createEgressPolicy } from '../../activities/tools/egress-policy.ts';

/** The built-in tools by name, as a worker has them that may mount and reach nothing. */
export const tools: ReadonlyMap<string, Tool> = new Map(
  builtInTools({
    egress: createEgressPolicy([]),
    sandbox: createSandbox({ bwrapPath: 'bwrap', roots: [] }),
    shellNetworkAllowed: false,
    model: null,
  }).map((tool) => [tool.manifest.name, tool]),
);

/** For one call outside of any goal. What it writes as an artifact is put into `artifacts`, text by name. */
export function createToolContext(artifacts: Map<string, string>): ToolContext {
  return {
    tenant: 'default',
    goalId: 'gol_0000000000000000',
    taskId: 'task',
    attempt: 1,
    effectId: 'effect',
    signal: new AbortController().signal,
    progress: () => undefined,
    reportUsage: () => undefined,
    artifacts: {
      async write({ name, mediaType, bytes }) {
        artifacts.set(name, Buffer.from(bytes).toString());
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        return { id: `art_${sha256.slice(0, 32)}`, name, mediaType, sizeBytes: bytes.byteLength, sha256 };
      },
      read: () => Promise.reject(new Error('The examples read no artifacts.')),
    },
  };
}
