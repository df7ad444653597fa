import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ToolManifest } from '../domain/schemas/tool.ts';
import { createLogger } from '../platform/logger.ts';
import { createToolCatalogue } from './tool-catalogue.ts';

const tool = (name: string): ToolManifest => ({
  name,
  description: 'x',
  inputSchema: {},
  outputSchema: {},
  workerClass: 'tools',
  execution: 'inline',
  effect: 'none',
  risk: 'low',
  timeoutSeconds: 1,
  cacheSeconds: 0,
});
const logger = createLogger({ name: 'test', level: 'silent' });
const list = vi.fn<() => Promise<readonly ToolManifest[]>>();
const names = async (catalogue: ReturnType<typeof createToolCatalogue>) => [...(await catalogue()).keys()];

beforeEach(() => {
  vi.useFakeTimers();
  list.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

test('the tools are read once for five seconds, however many ask', async () => {
  list.mockResolvedValue([tool('a.b')]);
  const catalogue = createToolCatalogue({ list }, { logger });
  await Promise.all([catalogue(), catalogue()]);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(await names(catalogue)).toEqual(['a.b']);
  expect(list).toHaveBeenCalledTimes(1);
  list.mockResolvedValue([tool('a.b'), tool('c.d')]);
  await vi.advanceTimersByTimeAsync(200);
  expect(await names(catalogue)).toEqual(['a.b', 'c.d']);
});

test('the tools known last stay in use while the database is away or slow', async () => {
  list.mockResolvedValueOnce([tool('a.b')]);
  const catalogue = createToolCatalogue({ list }, { logger });
  await catalogue();
  await vi.advanceTimersByTimeAsync(6_000);
  list.mockRejectedValueOnce(new Error('away'));
  expect(await names(catalogue)).toEqual(['a.b']);
  list.mockReturnValueOnce(new Promise(() => undefined));
  const asked = names(catalogue);
  await vi.advanceTimersByTimeAsync(300);
  expect(await asked).toEqual(['a.b']);
});

test('without ever having read them it says that it cannot', async () => {
  list.mockRejectedValue(new Error('away'));
  const catalogue = createToolCatalogue({ list }, { logger });
  await expect(catalogue()).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE', retryAfterSeconds: 2 });
});

test('an empty catalogue, as before the first worker, is not remembered', async () => {
  list.mockResolvedValueOnce([]);
  const catalogue = createToolCatalogue({ list }, { logger });
  expect(await names(catalogue)).toEqual([]);
  list.mockResolvedValue([tool('a.b')]);
  expect(await names(catalogue)).toEqual(['a.b']);
});
