import type { Command } from 'commander';
import { createAstra, type Astra } from '@astra/sdk';
import type { ExitCode } from './exit-codes.ts';
import type { Io, TextStream } from './io.ts';
import { resolveSettings, wantsColor } from './settings.ts';
import { formatJson } from './text/format-json.ts';
import { createPaint, type Paint } from './text/paint.ts';

/** What a command works with. */
export interface Session {
  readonly io: Io;
  readonly astra: Astra;
  readonly json: boolean;
  readonly paint: (stream: TextStream) => Paint;
  /** Result: JSON or text on standard output. */
  print(value: unknown, text: () => readonly string[]): void;
  /** Anything else a person may want to know: standard error. */
  note(...lines: readonly string[]): void;
}

/** `-o`, `--api-url` and `--token`, which every command has. */
interface GlobalOptions {
  readonly output: 'json' | 'text';
  readonly apiUrl?: string;
  readonly token?: string;
}

function openSession(options: GlobalOptions, io: Io): Session {
  const json = options.output === 'json';
  return {
    io,
    json,
    astra: createAstra(resolveSettings(options, io.env, io.cwd)),
    paint: (stream) => createPaint(stream.isTTY === true && wantsColor(io.env)),
    print(value, text) {
      const lines = json ? [formatJson(value)] : text();
      if (lines.length > 0) io.stdout.write(`${lines.join('\n')}\n`);
    },
    note: (...lines) => void io.stderr.write(`${lines.join('\n')}\n`),
  };
}

/** Makes an action of commander out of a function of a session, the arguments and the options. */
export type Bind = <A extends readonly unknown[]>(
  handler: (session: Session, ...args: A) => Promise<ExitCode | undefined>,
) => (...args: [...A, Command]) => Promise<void>;

export const createBind =
  (io: Io, exit: (code: ExitCode) => void): Bind =>
  (handler) =>
  async (...args) => {
    // commander passes the arguments, the options, and last the command itself.
    const command = args.at(-1) as Command;
    const session = openSession(command.optsWithGlobals<GlobalOptions>(), io);
    // What is left without the command is what the handler asked for.
    const code = await handler(session, ...(args.slice(0, -1) as never));
    if (code !== undefined) exit(code);
  };
