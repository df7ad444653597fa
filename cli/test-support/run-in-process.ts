import type { ExitCode } from '../exit-codes.ts';
import { runCli } from '../run-cli.ts';

interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  /** Makes both streams terminals of this size. */
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

interface Run {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line in this process, against the API at `apiUrl`, with its streams collected. */
export async function runInProcess(
  apiUrl: string | null,
  args: readonly string[],
  around: Surroundings = {},
): Promise<Run> {
  const { env = {}, cwd = '/', stdin = '', signal = new AbortController().signal, terminal } = around;
  let stdout = '';
  let stderr = '';
  const stream = (add: (text: string) => void) => ({ write: add, isTTY: terminal !== undefined, ...terminal });
  const exitCode = await runCli(args, {
    stdout: stream((text) => (stdout += text)),
    stderr: stream((text) => (stderr += text)),
    // A real stream, so that chunks are buffers.
    stdin: new Blob([stdin]).stream(),
    env: { ...(apiUrl === null ? {} : { ASTRA_API_URL: apiUrl, ASTRA_TOKEN: 'secret' }), ...env },
    cwd,
    signal,
  });
  return { exitCode, stdout, stderr };
}
