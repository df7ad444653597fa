import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../domain/json.ts';
import { toolContext } from '../../test/support/tool-context.ts';
import { artifactRead } from './artifact-read.ts';
import { artifactWrite } from './artifact-write.ts';

const context = toolContext();
async function write(content: JsonObject, mediaType = 'text/plain'): Promise<string> {
  const { artifact } = (await artifactWrite.run({ name: 'a', mediaType, ...content }, context)) as {
    artifact: { id: string };
  };
  return artifact.id;
}
const read = (input: JsonObject) => artifactRead.run(input, context);

describe('artifact.write and artifact.read', () => {
  test('text comes back as text, by id and by sha-256', async () => {
    const output = (await artifactWrite.run({ name: 'a', mediaType: 'text/plain', text: 'grüße' }, context)) as {
      artifact: JsonObject;
    };
    expect(output.artifact).toMatchObject({ name: 'a', mediaType: 'text/plain', sizeBytes: 7 });
    const { id, sha256 } = output.artifact;
    expect(await read({ id: id ?? null })).toEqual({ text: 'grüße', truncated: false });
    expect(await read({ sha256: sha256 ?? null })).toEqual({ text: 'grüße', truncated: false });
  });

  test('bytes come back as base64: by media type, or because they are no text', async () => {
    expect(await read({ id: await write({ base64: 'AAH/' }, 'text/plain') })).toEqual({
      base64: 'AAH/',
      truncated: false,
    });
    expect(await read({ id: await write({ text: 'not really' }, 'image/png') })).toEqual({
      base64: 'bm90IHJlYWxseQ==',
      truncated: false,
    });
    expect(await read({ id: await write({ text: '<svg/>' }, 'image/svg+xml') })).toEqual({
      text: '<svg/>',
      truncated: false,
    });
  });

  test('a cut never goes through a character', async () => {
    expect(await read({ id: await write({ text: 'aää' }), maxBytes: 4 })).toEqual({ text: 'aä', truncated: true });
  });

  test.each([
    [{ name: 'a', mediaType: 'text/plain' }],
    [{ name: 'a', mediaType: 'text/plain', text: 'x', base64: 'eA==' }],
    [{ name: 'a', mediaType: 'text/plain', base64: 'not base64!' }],
    [{ name: '', mediaType: 'text/plain', text: 'x' }],
  ])('%j is refused', async (input) => {
    await expect(artifactWrite.run(input, context)).rejects.toMatchObject({ code: 'ASTRA_TOOL_INPUT_INVALID' });
  });
});
