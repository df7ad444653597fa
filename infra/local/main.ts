import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { projectDir } from './paths.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';

const { env } = process;
const root = resolve(env.ASTRA_STATE_DIR ?? join(projectDir, '.astra'));
const program = new Command('local').description('The local stack: everything Astra needs, on this machine.');

program
  .command('start', { isDefault: true })
  .usage('[-- options]   (npm start -- --once)')
  .description(
    'Start Temporal, Postgres, Redis, Memcached, an S3 server, the worker and the API, and run the example goal.',
  )
  .option('--once', 'end after the example, with its outcome as exit code (0 completed, 1 failed, 2 cancelled)', false)
  .option('--no-example', 'only serve')
  .option('--reset', 'forget the data of earlier starts first', false)
  .action(async (options: { once: boolean; example: boolean; reset: boolean }) => {
    process.exitCode = await start({ ...options, root }, env);
  });

program
  .command('stop')
  .description('Stop the running local stack.')
  .action(async () => {
    process.exitCode = await stop(root);
  });

program
  .command('status')
  .description("Show each component's state, version, address and pid; exit 0 when all are up.")
  .option('--json', 'as JSON', false)
  .action(async (options: { json: boolean }) => {
    process.exitCode = await status(root, options);
  });

await program.parseAsync();
