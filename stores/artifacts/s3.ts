import { HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { AstraError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config.ts';

export type S3Config = Pick<
  Config,
  'AWS_ENDPOINT_URL_S3' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY'
>;

const connectTimeoutMs = 2_000;
/** Without a byte sent or received. */
const idleTimeoutMs = 30_000;
const checkTimeoutMs = 2_000;

/** Without keys the AWS default chain is used (instance roles, profiles). */
export function createS3(config: S3Config): S3Client {
  const accessKeyId = config.AWS_ACCESS_KEY_ID;
  const secretAccessKey = config.AWS_SECRET_ACCESS_KEY?.reveal();
  return new S3Client({
    region: config.AWS_REGION,
    // Servers other than AWS rarely have a host name for each bucket.
    forcePathStyle: true,
    // They rarely know AWS' newer checksums either; artifacts are checked by their own sha-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: connectTimeoutMs, socketTimeout: idleTimeoutMs },
    ...(config.AWS_ENDPOINT_URL_S3 !== undefined && { endpoint: config.AWS_ENDPOINT_URL_S3 }),
    ...(accessKeyId !== undefined &&
      secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
  });
}

/** For /readyz. @throws ASTRA_UNAVAILABLE when the bucket does not answer */
export async function checkS3(s3: S3Client, bucket: string): Promise<void> {
  try {
    const abortSignal = AbortSignal.timeout(checkTimeoutMs);
    await s3.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal });
  } catch (error) {
    const hint = `The bucket "${bucket}" does not answer; check AWS_ENDPOINT_URL_S3, ASTRA_S3_BUCKET and the keys.`;
    throw new AstraError('ASTRA_UNAVAILABLE', hint, { cause: error });
  }
}
