import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from './usage-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The only place of the command line that reads the environment. */
export const processEnvironment = (): Environment => process.env;

export interface Settings {
  readonly apiUrl: string;
  readonly token: string | undefined;
}

interface Flags {
  readonly apiUrl?: string | undefined;
  readonly token?: string | undefined;
}

const nonEmpty = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

/** What the running local stack left in the nearest `.astra` directory from `directory` upwards. */
function findLocalStack(directory: string): Settings | undefined {
  const found = readConnection(join(directory, '.astra', 'connection.json'));
  if (found) return found;
  return dirname(directory) === directory ? undefined : findLocalStack(dirname(directory));
}

/** Undefined when there is no such file. */
function readConnection(path: string): Settings | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    // Other keys of the file hold secrets: nothing but these two is taken out of it.
    const { apiUrl, token } = JSON.parse(text) as Record<string, unknown>;
    if (typeof apiUrl === 'string') return { apiUrl, token: typeof token === 'string' ? token : undefined };
  } catch {
    // Said below.
  }
  throw new UsageError(`${path} is not what the local stack writes; start it again with \`npm start\``);
}

/**
 * Which API to talk to, as whom: flags, then ASTRA_API_URL and ASTRA_TOKEN, then the local stack. The local stack's
 * token is for its own API only and never sent to another address.
 */
export function resolveSettings(flags: Flags, env: Environment, cwd: string): Settings {
  const apiUrl = flags.apiUrl ?? nonEmpty(env.ASTRA_API_URL);
  const token = flags.token ?? nonEmpty(env.ASTRA_TOKEN);
  if (apiUrl !== undefined && token !== undefined) return { apiUrl, token };
  const state = nonEmpty(env.ASTRA_STATE_DIR);
  const local =
    state === undefined ? findLocalStack(cwd) : readConnection(join(resolve(cwd, state), 'connection.json'));
  if (apiUrl !== undefined) return { apiUrl, token: local?.apiUrl === apiUrl ? local.token : undefined };
  if (local) return { apiUrl: local.apiUrl, token: token ?? local.token };
  throw new UsageError('No API is known: start one here with `npm start`, or give --api-url (or ASTRA_API_URL)');
}

/** https://no-color.org: any value but the empty one turns colour off. */
export const wantsColor = (env: Environment): boolean => !env.NO_COLOR && env.TERM !== 'dumb';
