import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fetchDebianPackage } from '../../../infra/local/acquire/fetch-debian-package.ts';
import { binDirectory } from '../../../infra/local/stack.ts';
import { cores } from './pinned-server.ts';

const connections = 16;
const execute = promisify(execFile);

export interface LoadFigures {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Requests that got no answer, or one of status 400 or above. */
  readonly failed: number;
}
export interface LoadRequest {
  readonly url: string;
  readonly seconds: number;
  /** Sent with each request. */
  readonly ifNoneMatch?: string;
}
export interface HttpLoad {
  readonly generator: 'wrk' | 'autocannon';
  run(request: LoadRequest): Promise<LoadFigures>;
}

/**
 * GETs the paths of a file in turn over 16 connections, from a process on the load's core. wrk where it can be had: it
 * takes a tenth of what the server takes; autocannon, itself a Node process, is slower than the constant handler.
 */
export async function createHttpLoad({
  pathsFile,
  token,
}: {
  readonly pathsFile: string;
  readonly token: string;
}): Promise<HttpLoad> {
  const wrk = await fetchDebianPackage('wrk', ['wrk'], { binDir: binDirectory(process.env), env: process.env }).catch(
    () => null,
  );
  const command = ({ url, seconds }: LoadRequest): string[] =>
    wrk === null
      ? [process.execPath, join(import.meta.dirname, 'autocannon-load.ts'), url, String(seconds), String(connections)]
      : [
          wrk,
          '-t',
          '1',
          '-c',
          String(connections),
          '-d',
          `${seconds}s`,
          '-s',
          join(import.meta.dirname, 'load.lua'),
          url,
        ];

  return {
    generator: wrk === null ? 'autocannon' : 'wrk',
    async run(request) {
      const common = [pathsFile, token, ...(request.ifNoneMatch === undefined ? [] : [request.ifNoneMatch])];
      const separator = wrk === null ? [] : ['--'];
      const { stdout } = await execute('taskset', ['-c', cores.load, ...command(request), ...separator, ...common]);
      // Either prints it as its last line.
      return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as LoadFigures;
    },
  };
}
