import { AstraError } from '../domain/errors.ts';
import type { ToolManifest } from '../domain/schemas/tool.ts';
import type { Logger } from '../platform/logger.ts';
import type { ToolStore } from './postgres/tools.ts';

const freshMs = 5_000;
/** A submission does not wait longer than this for the database when there is an older catalogue to go by. */
const patienceMs = 300;

export type ToolCatalogue = () => Promise<ReadonlyMap<string, ToolManifest>>;

/**
 * The tools that plans may name: at most five seconds old, or the last known ones while Postgres is away.
 * @throws (from the catalogue) ASTRA_UNAVAILABLE when it was never read.
 */
export function createToolCatalogue(
  store: Pick<ToolStore, 'list'>,
  options: { readonly logger: Logger },
): ToolCatalogue {
  let known: ReadonlyMap<string, ToolManifest> | undefined;
  let readAt = 0;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const manifests = await store.list();
      known = new Map(manifests.map((manifest) => [manifest.name, manifest]));
      readAt = Date.now();
    } catch (error) {
      options.logger.warn({ err: error }, 'the tool catalogue cannot be read; the last known one stays in use');
    } finally {
      reading = undefined;
    }
  }

  return async () => {
    // An empty one is that of a system that is just starting.
    if (known && known.size > 0 && Date.now() - readAt < freshMs) return known;
    reading ??= read();
    await (known ? Promise.race([reading, delay(patienceMs)]) : reading);
    if (known) return known;
    throw new AstraError('ASTRA_UNAVAILABLE', 'The tool catalogue cannot be read. Try again in a moment.', {
      retryAfterSeconds: 2,
    });
  };
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
