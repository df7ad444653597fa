import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../acquire/run-command.ts';
import type { Component } from '../component.ts';
import { answers } from '../ports.ts';
import { serverEnvironment, type ServerContext } from './server-context.ts';

/** Astra's search attributes, which the workflows set and operators filter by. */
const searchAttributes = {
  AstraTenant: 'Keyword',
  AstraStatus: 'Keyword',
  AstraLabels: 'KeywordList',
  AstraTemplate: 'Keyword',
};

// Without these pragmas the server waits for the disk in each step: 22 tasks/s instead of 204.
const sqlitePragmas = { journal_mode: 'wal', synchronous: 'normal' };

// The defaults suit many shards: with the single one of this server they make each step wait for the next poll
// (a diamond of ten tasks 200 ms instead of 45-60 ms).
const dynamicConfig = {
  'history.transferProcessorMaxPollRPS': 100_000,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // Backlogs are taken by priority, and of one priority, each tenant in turn.
  'matching.useNewMatcher': 'true',
  'matching.enableFairness': 'true',
  // The default lets the clocks of several hosts differ by 1 s, by which it puts off timers that are shorter. A task that
  // lost its worker waited 3.5 to 5 s for its next attempt instead of 3.1.
  'history.timerProcessorMaxTimeShift': '"10ms"',
  // More events than this that come in during a workflow task fail it, and it is done again: of 500 activities under way
  // in one goal the default of 100 failed every other workflow task (2,000 tasks at once took 12 s, and take 6 s).
  'history.maximumBufferedEventsBatch': 2_000,
  // An execution is deleted once these queues have noted that it is closed: by default that takes up to 30 s.
  'history.transferProcessorUpdateAckInterval': '"1s"',
  'history.visibilityProcessorUpdateAckInterval': '"1s"',
};

export interface TemporalComponent extends Component {
  uiPort: number;
}

/** The Temporal development server with its Web UI, in one process and one SQLite file. */
export async function createTemporal(context: ServerContext): Promise<TemporalComponent> {
  const { binary, paths, ports, env } = context;
  const home = paths.data('temporal');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const port = await ports.take('temporal');
  const uiPort = await ports.take('temporalUi');
  const httpPort = await ports.take('temporalHttp');
  const metricsPort = await ports.take('temporalMetrics');
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)];
  args.push('--http-port', String(httpPort), '--metrics-port', String(metricsPort), '--log-level', 'warn');
  args.push('--db-filename', join(home, 'temporal.db'), '--ui-disable-news-fetch');
  args.push(...flags('--sqlite-pragma', sqlitePragmas), ...flags('--dynamic-config-value', dynamicConfig));
  args.push(...flags('--search-attribute', searchAttributes));
  const childEnv = { ...serverEnvironment(env, home), GOGC: '400' };
  return {
    name: 'temporal',
    version: binary.version,
    port,
    uiPort,
    command: { file: binary.path, args, env: childEnv, cwd: home },
    stop: { signal: 'SIGTERM', graceMs: 8000 },
    async probe() {
      // The program takes 0.1 s of processor time to ask: it is started only when somebody listens.
      if (!(await answers(port))) throw new Error(`nothing listens on 127.0.0.1:${port}`);
      const ask = ['operator', 'namespace', 'describe', '--namespace', 'default', '--address', `127.0.0.1:${port}`];
      await runCommand(binary.path, [...ask, '--command-timeout', '3s'], { env: childEnv, cwd: home });
    },
  };
}

function flags(flag: string, values: Record<string, string | number>): string[] {
  return Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
}
