import type { Binary } from '../acquire/find-binary.ts';
import type { Environment } from '../component.ts';
import type { StatePaths } from '../paths.ts';
import type { PortAllocator } from '../ports.ts';
import type { Secrets } from '../secrets.ts';

/** What each server's factory is given. */
export interface ServerContext {
  binary: Binary;
  paths: StatePaths;
  ports: PortAllocator;
  secrets: Secrets;
  /** The launcher's environment, from which a server gets only what `serverEnvironment` lets through. */
  env: Environment;
}

/**
 * The least that a server needs. HOME is its own directory, so that no configuration file of the user's changes what it
 * does.
 */
export function serverEnvironment(env: Environment, home: string): Record<string, string> {
  return {
    PATH: env.PATH ?? '/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    ...(env.TMPDIR && { TMPDIR: env.TMPDIR }),
  };
}
