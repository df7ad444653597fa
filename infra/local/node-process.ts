import type { Component } from './component.ts';
import { compileCache, projectDir } from './paths.ts';

export interface NodeProcessOptions {
  name: 'api' | 'worker';
  script: string;
  /** A module loaded before the script, into all its threads. */
  preload?: string;
  port: number;
  adminPort: number;
  readyUrl: string;
  version: string;
  env: Record<string, string>;
}

/** The API or the worker as a component: a Node process that is up when its `/readyz` says so. */
export function createNodeProcess(options: NodeProcessOptions): Component {
  const { name, script, preload, port, adminPort, readyUrl, version } = options;
  return {
    name,
    version,
    port,
    command: {
      file: process.execPath,
      args: [...(preload === undefined ? [] : ['--import', preload]), script],
      env: { ...options.env, ASTRA_ADMIN_PORT: String(adminPort), NODE_COMPILE_CACHE: compileCache },
      cwd: projectDir,
    },
    // A worker lets its activities finish for up to 10 s.
    stop: { signal: 'SIGTERM', graceMs: 12_000 },
    async probe() {
      const response = await fetch(readyUrl, { signal: AbortSignal.timeout(3000) });
      const body = await response.text();
      if (!response.ok) throw new Error(`${readyUrl} answers ${response.status}: ${body.slice(0, 500)}`);
    },
  };
}
