export const serverNames = ['temporal', 'postgres', 'redis', 'memcached', 's3'] as const;
export const processNames = ['worker', 'api'] as const;
export type ServerName = (typeof serverNames)[number];
export type ComponentName = ServerName | (typeof processNames)[number];

/** The environment as a process sees it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Command {
  file: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** The user to run as, when it is not the launcher's own. */
  user?: { uid: number; gid: number };
}

/** One process of the stack: how to start it, how to know that it answers, how to stop it. */
export interface Component {
  name: ComponentName;
  version: string;
  port: number;
  command: Command;
  /** What asks it to end in an orderly way, and how long that may take before it is killed. */
  stop: { signal: NodeJS.Signals; graceMs: number };
  /** Rejects until the component answers in its own protocol. */
  probe(): Promise<void>;
  /** Makes what a client expects to be there, such as a database or a bucket; runs after each start. */
  provision?(): Promise<void>;
  /** Removes what a killed process leaves outside its data directory. */
  cleanUp?(): void;
}
