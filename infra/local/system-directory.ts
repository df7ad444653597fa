import { mkdirSync } from 'node:fs';

/**
 * A directory outside every home that survives a reboot, for what another user must reach although the project lies
 * where only root may enter (a clone below /root). Only root ever needs it.
 */
export function systemDirectory(): string {
  for (const directory of ['/var/lib/astra', '/var/tmp/astra']) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      return directory;
    } catch {
      // The next one.
    }
  }
  throw new Error(
    'Neither /var/lib nor /var/tmp can be written to. Clone the project where every user can enter, such as /srv.',
  );
}
