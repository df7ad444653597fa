import { S3ServiceException } from '@aws-sdk/client-s3';
import { AstraError } from '../../domain/errors.ts';

const absent: ReadonlySet<string> = new Set(['NotFound', 'NoSuchKey']);

/** Null: there is no such object. @throws ASTRA_UNAVAILABLE */
export async function orNull<T>(request: Promise<T>): Promise<T | null> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof S3ServiceException && absent.has(error.name)) return null;
    throw unavailable(error);
  }
}

/** @throws ASTRA_UNAVAILABLE */
export async function orUnavailable<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw unavailable(error);
  }
}

const unavailable = (cause: unknown): AstraError =>
  new AstraError(
    'ASTRA_UNAVAILABLE',
    'Object storage does not answer; /readyz tells more, and the attempt may be repeated.',
    { cause },
  );
