#!/usr/bin/env node
// Plain JavaScript, since it is started by whatever Node the machine has: the sources need one that runs TypeScript,
// which the project brings along.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const runsTypeScript = process.features.typescript === 'strip' || process.features.typescript === 'transform';
if (runsTypeScript) {
  await import('./main.ts');
} else {
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = fileURLToPath(new URL(`../node_modules/node/bin/${executable}`, import.meta.url));
  if (!existsSync(node)) {
    process.stderr.write(
      `error: astra needs Node 24; \`npm install\` in ${fileURLToPath(new URL('..', import.meta.url))} brings it\n`,
    );
    process.exit(64);
  }
  // A signal from the terminal reaches both processes: this one waits for what the other makes of it.
  const ignore = () => undefined;
  process.on('SIGINT', ignore).on('SIGTERM', ignore);
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const { status, error } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  if (error) process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = status ?? 1;
}
