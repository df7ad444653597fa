import { AstraApiError } from '../api-error.ts';
import type { Transport } from '../transport.ts';
import type { ArtifactRecord, CallOptions } from '../types.ts';

export interface Artifacts {
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: CallOptions): Promise<ArtifactRecord>;
  /** The bytes, as a response to stream or to read. @throws ASTRA_NOT_FOUND */
  download(id: string, options?: CallOptions): Promise<Response>;
}

const artifactPath = (id: string) => `v1/artifacts/${encodeURIComponent(id)}`;

export function createArtifacts(transport: Transport): Artifacts {
  return {
    async get(id, { signal } = {}) {
      return (await transport.json<ArtifactRecord>(artifactPath(id), { signal })).body;
    },
    async download(id, { signal } = {}) {
      const path = `${artifactPath(id)}/content`;
      // The API redirects to a presigned URL of the object storage, which must never see the bearer token, and which
      // refuses requests that are signed and carry a token. So the redirect is followed by hand, without credentials.
      const response = await transport.open(path, { redirect: 'manual', headers: { accept: '*/*' }, signal });
      // Browsers hide the target of a redirect. They drop Authorization themselves when it leads to another origin.
      if (response.type === 'opaqueredirect') return transport.open(path, { headers: { accept: '*/*' }, signal });
      if (response.ok) return response;
      await response.body?.cancel();
      const location = response.headers.get('location');
      if (location === null) {
        throw new AstraApiError('ASTRA_INTERNAL', `The API did not say where the artifact ${id} is`, {
          status: response.status,
        });
      }
      return transport.openForeign(new URL(location, response.url).href, { signal });
    },
  };
}
