import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createToolArtifacts } from '../../activities/tools/tool-artifacts.ts';
import { loadConfig } from '../../platform/config.ts';
import { createArtifactStore, type ArtifactStore } from '../../stores/artifacts/artifact-store.ts';
import { artifactSchema, type Artifact } from '../../domain/schemas/artifact.ts';

let store: ArtifactStore;
const tenant = `artifacts-${randomBytes(4).toString('hex')}`;
const report = { name: 'Bericht für "März".md', mediaType: 'text/markdown', bytes: Buffer.from('# grüße\n') };

beforeAll(() => {
  store = createArtifactStore(loadConfig(inject('stack').env));
});
afterAll(() => store.close());

describe('the store', () => {
  test('gives the same artifact for the same bytes, name and type, and another id otherwise', async () => {
    const first = await store.put(tenant, report);
    expect(artifactSchema.parse(first)).toMatchObject({ name: report.name, mediaType: 'text/markdown', sizeBytes: 10 });
    expect(await store.put(tenant, report)).toEqual(first);
    const others = [
      await store.put(tenant, { ...report, name: 'other' }),
      await store.put(tenant, { ...report, mediaType: 'text/plain' }),
      await store.put(tenant, { ...report, bytes: Buffer.from('x') }),
      await store.put(`${tenant}2`, report),
    ];
    expect(new Set([first, ...others].map(({ id }) => id)).size).toBe(5);
    expect(others[1]?.sha256).toBe(first.sha256);
  });

  test('gives the bytes back, whole or their beginning, the empty ones too', async () => {
    const artifact = await store.put(tenant, report);
    expect(Buffer.from(await store.get(tenant, artifact))).toEqual(report.bytes);
    expect(await store.read(tenant, artifact.sha256, { maxBytes: 3 })).toMatchObject({
      bytes: new Uint8Array(Buffer.from('# g')),
      truncated: true,
      sizeBytes: 10,
    });
    expect(await store.read(tenant, artifact.sha256, { maxBytes: 10 })).toMatchObject({
      truncated: false,
      mediaType: 'text/markdown',
    });
    const empty = await store.put(tenant, { name: 'empty', mediaType: 'text/plain', bytes: new Uint8Array() });
    expect(await store.get(tenant, empty)).toHaveLength(0);
    const large = await store.put(tenant, {
      name: 'large',
      mediaType: 'application/octet-stream',
      bytes: randomBytes(9_000_000),
    });
    expect(await store.get(tenant, large)).toHaveLength(9_000_000);
  });

  test('keeps tenants apart and says what is not there', async () => {
    const artifact = await store.put(tenant, { ...report, bytes: randomBytes(20) });
    expect(await store.head(tenant, artifact.sha256)).toEqual({ sizeBytes: 20, mediaType: 'text/markdown' });
    expect(await store.head('another', artifact.sha256)).toBeNull();
    expect(await store.read('another', artifact.sha256, { maxBytes: 9 })).toBeNull();
    await expect(store.get('another', artifact)).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('a presigned URL downloads it under its name and type, without credentials', async () => {
    const url = await store.presign(tenant, await store.put(tenant, report));
    const response = await fetch(url);
    expect(await response.text()).toBe('# grüße\n');
    expect(response.headers.get('content-type')).toBe('text/markdown');
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename*=UTF-8''Bericht%20f%C3%BCr%20%22M%C3%A4rz%22.md`,
    );
    const forged = new URL(url);
    forged.pathname = forged.pathname.replace(tenant, `${tenant}2`);
    expect((await fetch(forged)).status).toBe(403);
  });

  test('tells whether it is up', async () => {
    await expect(store.check()).resolves.toBeUndefined();
    const lost = createArtifactStore(loadConfig({ ...inject('stack').env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }));
    await expect(lost.check()).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
    await expect(lost.put(tenant, report)).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE', retryable: true });
    lost.close();
    const nowhere = createArtifactStore(loadConfig({ ...inject('stack').env, ASTRA_S3_BUCKET: 'no-such-bucket' }));
    await expect(nowhere.check()).rejects.toMatchObject({
      code: 'ASTRA_UNAVAILABLE',
      message: expect.stringContaining('no-such-bucket') as string,
    });
    nowhere.close();
  });
});

describe('artifacts as tools see them', () => {
  const recorded = new Map<string, Artifact>();
  const artifacts = () => createToolArtifacts({ tenant, store, lookup: async (_, id) => recorded.get(id) ?? null });

  test('are read by id, once recorded, and by sha-256', async () => {
    const written = await artifacts().write(report);
    recorded.set(written.id, { ...written, mediaType: 'text/x-recorded' });
    expect(await artifacts().read({ id: written.id }, { maxBytes: 100 })).toMatchObject({
      mediaType: 'text/x-recorded',
      truncated: false,
    });
    expect(await artifacts().read({ sha256: written.sha256 }, { maxBytes: 100 })).toMatchObject({
      mediaType: 'text/markdown',
    });
  });

  test.each([
    [{ id: 'art_0000000000000000' }, '/id'],
    [{ sha256: '0'.repeat(64) }, '/sha256'],
  ])('%j that is not there is a fault of the input', async (ref, pointer) => {
    await expect(artifacts().read(ref, { maxBytes: 1 })).rejects.toMatchObject({
      code: 'ASTRA_TOOL_INPUT_INVALID',
      faults: [{ pointer }],
    });
  });
});
