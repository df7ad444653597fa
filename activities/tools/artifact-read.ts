import { TextDecoder } from 'node:util';
import { z } from 'zod';
import { artifactSchema } from '../../domain/schemas/artifact.ts';
import { limits } from '../../domain/limits.ts';
import { defineTool, type ArtifactBytes, type Tool } from './define-tool.ts';

const defaultMaxBytes = 1024 * 1024;
const maxBytes = z.int().min(1).max(limits.resolvedOutputBytes).optional().describe('1 MiB unless given');
const truncated = z.boolean();

/** `artifact.read`. An artifact's bytes never change, so its answers may be reused for as long as there is room. */
export const artifactRead: Tool = defineTool({
  name: 'artifact.read',
  description: 'Reads the beginning of an artifact, as text when it is text, else base64-encoded.',
  input: z.union([
    z.strictObject({ id: artifactSchema.shape.id, maxBytes }),
    z.strictObject({ sha256: artifactSchema.shape.sha256, maxBytes }),
  ]),
  output: z.union([z.strictObject({ text: z.string(), truncated }), z.strictObject({ base64: z.base64(), truncated })]),
  effect: 'none',
  risk: 'low',
  cacheSeconds: 86_400,
  async run({ maxBytes: most = defaultMaxBytes, ...ref }, context) {
    const content = await context.artifacts.read(ref, { maxBytes: most });
    const text = decodeText(content);
    return text === undefined
      ? { base64: Buffer.from(content.bytes).toString('base64'), truncated: content.truncated }
      : { text, truncated: content.truncated };
  },
});

const binary = /^(image\/(?!svg)|audio\/|video\/|font\/|application\/(octet-stream|zip|gzip|pdf|wasm))/i;

function decodeText({ bytes, mediaType, truncated: cut }: ArtifactBytes): string | undefined {
  if (binary.test(mediaType)) return undefined;
  try {
    // In stream mode a character that the cut went through is left out rather than refused.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}
