import { Readable } from 'node:stream';
import { CopyObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { ArtifactStoreConfig } from '../artifacts/artifact-store.ts';
import { contentDisposition } from '../artifacts/content-disposition.ts';
import { objectKeys } from '../artifacts/object-keys.ts';
import { removePrefix } from '../artifacts/remove-objects.ts';
import { createS3 } from '../artifacts/s3.ts';
import { orNull } from '../artifacts/s3-errors.ts';
import { uploadStream } from '../artifacts/upload-stream.ts';

/** Archived goals in object storage: a record in lines of JSON, and copies of the artifacts. All throw ASTRA_UNAVAILABLE. */
export interface ArchiveStore {
  /** Replaces the goal's record; whole and durable when it resolves. @returns its size in bytes */
  write(goal: GoalRef, lines: AsyncIterable<string>): Promise<number>;
  /** False: the bytes are not in object storage any more, so there is nothing to keep. */
  keepArtifact(goal: GoalRef, sha256: string): Promise<boolean>;
  /** The lines of the record, without their ends. @throws ASTRA_NOT_FOUND */
  read(goal: GoalRef): AsyncIterable<string>;
  /** Addresses that need no token, for so long. */
  presignRecord(goal: GoalRef, options: { readonly expiresSeconds: number }): Promise<string>;
  presignArtifact(goal: GoalRef, artifact: Artifact, options: { readonly expiresSeconds: number }): Promise<string>;
  /** Everything that is archived of the goal. @returns how many objects */
  remove(goal: GoalRef): Promise<number>;
  close(): void;
}

const mediaType = 'application/x-ndjson';

export function createArchiveStore(config: ArtifactStoreConfig): ArchiveStore {
  const s3 = createS3(config);
  const bucket = config.ASTRA_S3_BUCKET;
  const record = (goal: GoalRef) => ({ Bucket: bucket, Key: objectKeys.archivedRecord(goal) });

  return {
    write: (goal, lines) => uploadStream(s3, { ...record(goal), ContentType: mediaType }, withEnds(lines)),

    async keepArtifact(goal, sha256) {
      const copied = await orNull(
        s3.send(
          new CopyObjectCommand({
            Bucket: bucket,
            Key: objectKeys.archivedArtifact(goal, sha256),
            CopySource: `${bucket}/${objectKeys.artifact(goal.tenant, sha256)}`,
          }),
        ),
      );
      return copied !== null;
    },

    async *read(goal) {
      const object = await orNull(s3.send(new GetObjectCommand(record(goal))));
      if (!(object?.Body instanceof Readable)) {
        throw new AstraError('ASTRA_NOT_FOUND', `The goal ${goal.goalId} is not in the archive.`);
      }
      yield* linesOf(object.Body);
    },

    presignRecord: (goal, { expiresSeconds }) =>
      getSignedUrl(
        s3,
        new GetObjectCommand({
          ...record(goal),
          ResponseContentType: mediaType,
          ResponseContentDisposition: contentDisposition(`${goal.goalId}.ndjson`),
        }),
        { expiresIn: expiresSeconds },
      ),

    presignArtifact: (goal, artifact, { expiresSeconds }) =>
      getSignedUrl(
        s3,
        new GetObjectCommand({
          Bucket: bucket,
          Key: objectKeys.archivedArtifact(goal, artifact.sha256),
          ResponseContentType: artifact.mediaType,
          ResponseContentDisposition: contentDisposition(artifact.name),
        }),
        { expiresIn: expiresSeconds },
      ),

    remove: (goal) => removePrefix(s3, bucket, { prefix: objectKeys.archive(goal) }),
    close: () => s3.destroy(),
  };
}

async function* withEnds(lines: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  for await (const line of lines) yield `${line}\n`;
}

/** Not by node:readline, for which U+2028, which JSON may have in a text, ends a line too. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
