import { AstraError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { ArtifactStore } from '../../stores/artifacts/artifact-store.ts';
import type { ToolArtifacts } from './define-tool.ts';

export interface ToolArtifactsDeps {
  readonly tenant: string;
  readonly store: Pick<ArtifactStore, 'put' | 'read'>;
  /** From an id to the artifact, as the record has it. */
  readonly lookup: (tenant: string, artifactId: string) => Promise<Artifact | null>;
}

/** The store as one tenant's tools see it. */
export function createToolArtifacts({ tenant, store, lookup }: ToolArtifactsDeps): ToolArtifacts {
  return {
    write: (artifact) => store.put(tenant, artifact),
    async read(ref, options) {
      const known = 'id' in ref ? await lookup(tenant, ref.id) : null;
      const sha256 = 'sha256' in ref ? ref.sha256 : known?.sha256;
      const content = sha256 === undefined ? null : await store.read(tenant, sha256, options);
      if (!content)
        throw absent('id' in ref ? { pointer: '/id', value: ref.id } : { pointer: '/sha256', value: ref.sha256 });
      const { bytes, truncated, mediaType } = content;
      return { bytes, truncated, mediaType: known?.mediaType ?? mediaType };
    },
  };
}

function absent({ pointer, value }: { readonly pointer: string; readonly value: string }): AstraError {
  const message = `there is no artifact ${value} in this tenant`;
  return new AstraError('ASTRA_TOOL_INPUT_INVALID', `The input is not valid: ${pointer}: ${message}`, {
    faults: [{ pointer, message }],
  });
}
