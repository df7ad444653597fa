import type { ArtifactStoreConfig } from './artifact-store.ts';
import { objectKeys } from './object-keys.ts';
import { removeObject, removePrefix } from './remove-objects.ts';
import { createS3 } from './s3.ts';

/** All throw ASTRA_UNAVAILABLE. */
export interface ObjectRemoval {
  /** An artifact's bytes. */
  removeArtifact(tenant: string, sha256: string): Promise<void>;
  /**
   * The tenant's artifacts and its archive. @param options.onProgress called between pages; what it throws ends the work
   * @returns how many objects
   */
  removeTenant(tenant: string, options: { readonly onProgress: () => void }): Promise<number>;
  close(): void;
}

export function createObjectRemoval(config: ArtifactStoreConfig): ObjectRemoval {
  const s3 = createS3(config);
  const bucket = config.ASTRA_S3_BUCKET;
  return {
    removeArtifact: (tenant, sha256) => removeObject(s3, bucket, objectKeys.artifact(tenant, sha256)),
    async removeTenant(tenant, { onProgress }) {
      let removed = 0;
      for (const prefix of [objectKeys.artifacts(tenant), objectKeys.archives(tenant)]) {
        removed += await removePrefix(s3, bucket, { prefix, onProgress });
      }
      return removed;
    },
    close: () => s3.destroy(),
  };
}
