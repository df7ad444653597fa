import { AstraApiError } from '../api-error.ts';
import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { ArchiveDownload, ArchivedGoal, CallOptions } from '../types.ts';

export interface Archive {
  /** One page, latest first. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<ArchivedGoal>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<ArchivedGoal, void, undefined>;
  /** What is archived of a goal, with addresses that work for five minutes. @throws ASTRA_NOT_FOUND */
  get(goalId: string, options?: CallOptions): Promise<ArchiveDownload>;
  /** The goal's record, lines of JSON, as a response to stream or to read. @throws ASTRA_NOT_FOUND */
  download(goalId: string, options?: CallOptions): Promise<Response>;
  /** The bytes of one of its artifacts. @throws ASTRA_NOT_FOUND */
  downloadArtifact(goalId: string, artifactId: string, options?: CallOptions): Promise<Response>;
}

const path = 'v1/archive';

export function createArchive(transport: Transport): Archive {
  async function get(goalId: string, { signal }: CallOptions = {}): Promise<ArchiveDownload> {
    return (await transport.json<ArchiveDownload>(`${path}/${encodeURIComponent(goalId)}`, { signal })).body;
  }
  return {
    list: (query = {}, options) => readPage(transport, path, { ...query }, options),
    all: (query = {}, options) => readPages(transport, path, { ...query }, options),
    get,
    async download(goalId, options = {}) {
      const { url } = await get(goalId, options);
      return transport.openForeign(url, options);
    },
    async downloadArtifact(goalId, artifactId, options = {}) {
      const artifact = (await get(goalId, options)).artifacts.find(({ id }) => id === artifactId);
      if (!artifact) {
        throw new AstraApiError('ASTRA_NOT_FOUND', `The archive of ${goalId} has no artifact ${artifactId}`, {
          status: 404,
        });
      }
      return transport.openForeign(artifact.url, options);
    },
  };
}
