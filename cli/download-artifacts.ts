import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '@astra/sdk';
import type { Session } from './session.ts';

/** An artifact's name may come from anywhere: what could leave the directory or hide in it is replaced. */
const safeName = (name: string): string => {
  const safe = name.replaceAll(/[/\\:\u0000-\u001F\u007F]/g, '_').replace(/^\.+/, '_');
  return safe === '' ? 'artifact' : safe;
};

/** A name for each artifact; of equal ones the later get `-2`, `-3`, … before the extension. */
export function fileNames(artifacts: readonly Pick<Artifact, 'name'>[]): string[] {
  const taken = new Set<string>();
  return artifacts.map(({ name }) => {
    const safe = safeName(name);
    const dot = safe.lastIndexOf('.');
    const [stem, extension] = dot > 0 ? [safe.slice(0, dot), safe.slice(dot)] : [safe, ''];
    let candidate = safe;
    for (let number = 2; taken.has(candidate.toLowerCase()); number += 1) candidate = `${stem}-${number}${extension}`;
    taken.add(candidate.toLowerCase());
    return candidate;
  });
}

/** What is to be downloaded; checked where its hash is known. */
interface Download {
  readonly name: string;
  readonly sha256?: string;
  readonly fetch: () => Promise<Response>;
}

async function download({ io }: Session, { name, sha256, fetch }: Download, path: string): Promise<void> {
  const response = await fetch();
  const hash = createHash('sha256');
  const tee = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const partial = `${path}.part`;
  try {
    const body = Readable.fromWeb(response.body ?? new ReadableStream());
    await pipeline(body, tee, createWriteStream(partial), { signal: io.signal });
    if (sha256 !== undefined && hash.digest('hex') !== sha256) {
      throw new Error(`${name} arrived damaged: its SHA-256 is not ${sha256}; download it again`);
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Downloads the files into the directory, which is made when it is not there. @returns their paths, in order */
export async function downloadFiles(
  session: Session,
  files: readonly Download[],
  directory: string,
): Promise<string[]> {
  const target = resolve(session.io.cwd, directory);
  await mkdir(target, { recursive: true });
  const named = fileNames(files).map((name, index) => [join(target, name), files[index]] as const);
  for (const [path, file] of named) if (file) await download(session, file, path);
  return named.map(([path]) => path);
}

/** @returns their paths, in order */
export const downloadArtifacts = (
  session: Session,
  artifacts: readonly Artifact[],
  directory: string,
): Promise<string[]> =>
  downloadFiles(
    session,
    artifacts.map(({ id, name, sha256 }) => ({
      name,
      sha256,
      fetch: () => session.astra.artifacts.download(id, { signal: session.io.signal }),
    })),
    directory,
  );
