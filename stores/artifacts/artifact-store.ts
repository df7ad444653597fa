import { createHash } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AstraError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { Config } from '../../platform/config.ts';
import { contentDisposition } from './content-disposition.ts';
import { objectKeys } from './object-keys.ts';
import { checkS3, createS3, type S3Config } from './s3.ts';
import { orNull, orUnavailable } from './s3-errors.ts';

export type ArtifactStoreConfig = S3Config & Pick<Config, 'ASTRA_S3_BUCKET'>;
export interface ArtifactContent {
  readonly bytes: Uint8Array;
  /** As first stored; the same bytes may be artifacts of several media types. */
  readonly mediaType: string;
  /** Of the whole. */
  readonly sizeBytes: number;
  readonly truncated: boolean;
}

/**
 * Immutable bytes by sha-256, each tenant's its own.
 *
 * 1. An id says name, media type and bytes: writing the same again gives the same artifact and changes nothing.
 * 2. Nothing is ever overwritten, so a reader needs no lock and a cache no expiry.
 */
export interface ArtifactStore {
  /** @throws ASTRA_UNAVAILABLE */
  put(
    tenant: string,
    artifact: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array },
  ): Promise<Artifact>;
  /** All of it. @throws ASTRA_NOT_FOUND, ASTRA_UNAVAILABLE */
  get(tenant: string, artifact: Artifact): Promise<Uint8Array>;
  /** The first `maxBytes`. Null: the tenant has no such bytes. @throws ASTRA_UNAVAILABLE */
  read(tenant: string, sha256: string, options: { readonly maxBytes: number }): Promise<ArtifactContent | null>;
  /** Null: the tenant has no such bytes. @throws ASTRA_UNAVAILABLE */
  head(tenant: string, sha256: string): Promise<{ readonly sizeBytes: number; readonly mediaType: string } | null>;
  /** A URL that downloads the artifact under its name, for an hour unless given, without further credentials. */
  presign(tenant: string, artifact: Artifact, options?: { readonly expiresSeconds?: number }): Promise<string>;
  /** For /readyz. @throws ASTRA_UNAVAILABLE when the bucket does not answer */
  check(): Promise<void>;
  close(): void;
}

const defaultExpirySeconds = 3_600;
const unknownMediaType = 'application/octet-stream';

export function createArtifactStore(config: ArtifactStoreConfig): ArtifactStore {
  const s3 = createS3(config);
  const bucket = config.ASTRA_S3_BUCKET;
  const locate = (tenant: string, sha256: string) => ({ Bucket: bucket, Key: objectKeys.artifact(tenant, sha256) });

  const head: ArtifactStore['head'] = async (tenant, sha256) => {
    const found = await orNull(s3.send(new HeadObjectCommand(locate(tenant, sha256))));
    return found && { sizeBytes: found.ContentLength ?? 0, mediaType: found.ContentType ?? unknownMediaType };
  };
  const read: ArtifactStore['read'] = async (tenant, sha256, { maxBytes }) => {
    const found = await head(tenant, sha256);
    if (found === null) return null;
    const truncated = found.sizeBytes > maxBytes;
    // An empty object has no range that could be asked for.
    const range = truncated ? { Range: `bytes=0-${maxBytes - 1}` } : {};
    const object = await orNull(s3.send(new GetObjectCommand({ ...locate(tenant, sha256), ...range })));
    if (!object?.Body) return null;
    return { bytes: await orUnavailable(object.Body.transformToByteArray()), truncated, ...found };
  };
  return {
    head,
    check: () => checkS3(s3, bucket),
    close: () => s3.destroy(),
    async put(tenant, { name, mediaType, bytes }) {
      const sha256 = sha256Of(bytes);
      if ((await head(tenant, sha256)) === null) {
        const object = {
          ...locate(tenant, sha256),
          Body: bytes,
          ContentType: mediaType,
          ContentLength: bytes.byteLength,
        };
        await orUnavailable(s3.send(new PutObjectCommand(object)));
      }
      return {
        id: artifactId({ tenant, name, mediaType, sha256 }),
        name,
        mediaType,
        sizeBytes: bytes.byteLength,
        sha256,
      };
    },
    read,
    async get(tenant, { sha256, sizeBytes, name }) {
      const content = await read(tenant, sha256, { maxBytes: Math.max(1, sizeBytes) });
      if (content) return content.bytes;
      throw new AstraError(
        'ASTRA_NOT_FOUND',
        `The bytes of the artifact "${name}" (${sha256}) are no longer in object storage.`,
      );
    },
    async presign(tenant, { sha256, name, mediaType }, options = {}) {
      const command = new GetObjectCommand({
        ...locate(tenant, sha256),
        ResponseContentType: mediaType,
        ResponseContentDisposition: contentDisposition(name),
      });
      return getSignedUrl(s3, command, { expiresIn: options.expiresSeconds ?? defaultExpirySeconds });
    },
  };
}

/** The same for the same tenant, name, media type and bytes, so that a repeated write is the same artifact. */
function artifactId(parts: { tenant: string; name: string; mediaType: string; sha256: string }): string {
  const { tenant, name, mediaType, sha256 } = parts;
  // As JSON, for no name can imitate the border between two parts.
  return `art_${sha256Of(JSON.stringify([tenant, name, mediaType, sha256])).slice(0, 40)}`;
}

const sha256Of = (content: Uint8Array | string): string => createHash('sha256').update(content).digest('hex');
