import { LRUCache } from 'lru-cache';
import { AstraError } from '../../domain/errors.ts';
import type { Json } from '../../domain/json.ts';
import { limits } from '../../domain/limits.ts';
import type { Output } from '../../domain/schemas/event.ts';
import type { ArtifactStore } from '../../stores/artifacts/artifact-store.ts';

/** Turns values into outputs as they travel, and back. */
export interface Values {
  /** Values beyond `limits.inlineOutputBytes` of JSON are stored as an artifact, durable when this resolves. */
  toOutput(tenant: string, value: Json): Promise<Output>;
  /** The value; beyond `limits.resolvedOutputBytes` the artifact's reference; null for a task without output. */
  toValue(tenant: string, output: Output | null | undefined): Promise<Json>;
  /** The values, in order. When those that are stored exceed `maxBytes` together, their references instead. */
  toValues(
    tenant: string,
    outputs: readonly (Output | null | undefined)[],
    options: { readonly maxBytes: number },
  ): Promise<Json[]>;
}

const cacheBytes = 128 * 1024 * 1024;
const jsonMediaType = 'application/json';
const readsAtOnce = 32;

export function createValues(artifacts: ArtifactStore): Values {
  /** Artifacts are immutable, so what was parsed once stays right. */
  const parsed = new LRUCache<string, { readonly value: Json }>({ maxSize: cacheBytes });

  const values: Values = {
    async toOutput(tenant, value) {
      const text = JSON.stringify(value);
      const bytes = new TextEncoder().encode(text);
      if (bytes.length <= limits.inlineOutputBytes) return { output: value };
      const artifact = await artifacts.put(tenant, { name: 'output.json', mediaType: jsonMediaType, bytes });
      parsed.set(`${tenant}/${artifact.sha256}`, { value }, { size: bytes.length });
      return { artifact };
    },
    async toValue(tenant, output) {
      if (!output) return null;
      if ('output' in output) return output.output;
      const { artifact } = output;
      if (artifact.sizeBytes > limits.resolvedOutputBytes) return { ...artifact };
      const key = `${tenant}/${artifact.sha256}`;
      const known = parsed.get(key);
      if (known) return known.value;
      const value = parse(await artifacts.get(tenant, artifact));
      parsed.set(key, { value }, { size: Math.max(1, artifact.sizeBytes) });
      return value;
    },
    async toValues(tenant, outputs, { maxBytes }) {
      const sizeBytes = outputs.reduce((sum, output) => sum + storedBytes(output), 0);
      const valueOf = async (output: Output | null | undefined): Promise<Json> =>
        sizeBytes > maxBytes && output && 'artifact' in output
          ? { ...output.artifact }
          : values.toValue(tenant, output);
      const list: Json[] = [];
      for (let from = 0; from < outputs.length; from += readsAtOnce) {
        list.push(...(await Promise.all(outputs.slice(from, from + readsAtOnce).map(valueOf))));
      }
      return list;
    },
  };
  return values;
}

const storedBytes = (output: Output | null | undefined): number =>
  output && 'artifact' in output ? output.artifact.sizeBytes : 0;

function parse(bytes: Uint8Array): Json {
  try {
    // Astra wrote it with JSON.stringify: whatever parses is Json.
    return JSON.parse(new TextDecoder().decode(bytes)) as Json;
  } catch (error) {
    throw new AstraError('ASTRA_INTERNAL', 'A stored output is not JSON.', { cause: error });
  }
}
