import { InvalidArgumentError } from 'commander';
import type { Json, JsonObject } from '@astra/sdk';

function splitPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It must look like name=value.');
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function parseValue(text: string): Json {
  try {
    // What JSON.parse gives is JSON.
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Collects `--param name=value`: a value that is JSON counts as such, any other is a string (`--param 'id="7"'`). */
export function collectParams(pair: string, before: JsonObject = {}): JsonObject {
  const [name, value] = splitPair(pair);
  return { ...before, [name]: parseValue(value) };
}

/** Collects `--label name=value`; labels are strings. */
export function collectLabels(pair: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name, value] = splitPair(pair);
  return { ...before, [name]: value };
}

/** Collects an option that may be repeated. */
export const collectTexts = (text: string, before: readonly string[] = []): string[] => [...before, text];

/** A whole number of at least `least`. */
export const parseCount =
  (least: number) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number of at least ${least}.`);
  };
