import { createHash } from 'node:crypto';
import { AstraError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { ToolArtifacts, ToolContext } from '../../activities/tools/define-tool.ts';

/** What a tool is called with, where nothing about it matters but what a test gives. */
export function toolContext(given: Partial<ToolContext> = {}): ToolContext {
  return {
    tenant: 'default',
    goalId: 'gol_0000000000000001',
    taskId: 'task',
    attempt: 1,
    effectId: 'gol_0000000000000001/task/1',
    signal: new AbortController().signal,
    progress: () => undefined,
    reportUsage: () => undefined,
    artifacts: memoryArtifacts(),
    ...given,
  };
}

/** Artifacts that live as long as the test. The store itself has tests of its own. */
export function memoryArtifacts(): ToolArtifacts {
  const kept = new Map<string, { readonly artifact: Artifact; readonly bytes: Uint8Array }>();
  return {
    async write({ name, mediaType, bytes }) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const artifact = { id: `art_${sha256.slice(0, 40)}`, name, mediaType, sizeBytes: bytes.byteLength, sha256 };
      kept.set(artifact.id, { artifact, bytes }).set(sha256, { artifact, bytes });
      return artifact;
    },
    async read(ref, { maxBytes }) {
      const found = kept.get('id' in ref ? ref.id : ref.sha256);
      if (!found) throw new AstraError('ASTRA_TOOL_INPUT_INVALID', 'no such artifact');
      const { bytes, artifact } = found;
      return {
        bytes: bytes.subarray(0, maxBytes),
        mediaType: artifact.mediaType,
        truncated: bytes.byteLength > maxBytes,
      };
    },
  };
}
