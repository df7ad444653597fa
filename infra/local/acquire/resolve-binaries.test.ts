import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentReporter } from '../reporter.ts';
import { resolveBinaries } from './resolve-binaries.ts';

it('names all that is missing in one error, with the commands for each system', async () => {
  const binDir = await mkdtemp(join(tmpdir(), 'astra-bin-'));
  try {
    const env = { PATH: '/nonexistent', ASTRA_DOWNLOADS: 'off' };
    const failure = await resolveBinaries({ binDir, env, reporter: silentReporter }).catch((error: unknown) =>
      String(error),
    );
    // bubblewrap is asked for on Linux only; Memcached may be missing anywhere.
    const required = ['Temporal', 'Postgres with pgvector', 'Redis', 'SeaweedFS'];
    for (const title of process.platform === 'linux' ? [...required, 'bubblewrap'] : required) {
      expect(failure).toContain(`  ${title} (`);
    }
    expect(failure).not.toContain('Memcached (');
    expect(failure).toContain('ASTRA_TEMPORAL_BIN: not set');
    expect(failure).toContain('package registries: ASTRA_DOWNLOADS=off');
    expect(failure).toMatch(
      /Debian, Ubuntu:\n[^]*apt-get install redis-server[^]*Fedora:\n[^]*dnf install[^]*macOS:\n[^]*brew install/,
    );
  } finally {
    await rm(binDir, { recursive: true });
  }
});
