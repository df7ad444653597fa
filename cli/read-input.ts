import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { JsonObject } from '@astra/sdk';
import type { Io } from './io.ts';
import { UsageError } from './usage-error.ts';

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function readText(path: string, { stdin, cwd }: Pick<Io, 'stdin' | 'cwd'>): Promise<string> {
  if (path !== '-') return readFile(resolve(cwd, path), 'utf8');
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

const nameOf = (path: string): string => (path === '-' ? 'standard input' : path);

/** All of a file, or of standard input for `-`. @throws UsageError */
export async function readInput(path: string, io: Pick<Io, 'stdin' | 'cwd'>): Promise<string> {
  try {
    return await readText(path, io);
  } catch (error) {
    throw new UsageError(`${nameOf(path)} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** A JSON object from a file, or from standard input for `-`. @throws UsageError */
export const readJsonObject = async (path: string, io: Pick<Io, 'stdin' | 'cwd'>): Promise<JsonObject> =>
  parseJsonObject(await readInput(path, io), nameOf(path));

/** The one line of a file, or of standard input for `-`. @throws UsageError */
export async function readLine(path: string, io: Pick<Io, 'stdin' | 'cwd'>): Promise<string> {
  const line = (await readInput(path, io)).trim();
  if (line === '' || line.includes('\n')) throw new UsageError(`${nameOf(path)} must hold one line`);
  return line;
}

/** @throws UsageError naming `what` it was read from. */
export function parseJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what} is not JSON: ${reasonOf(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${what} must hold a JSON object, such as {"name": "value"}`);
  }
  // Parsed from JSON, so all it holds is JSON.
  return value as JsonObject;
}
