import { z } from 'zod';
import { AstraError } from '../../domain/errors.ts';
import type { Sandbox, SandboxResult } from '../sandbox/create-sandbox.ts';
import { exceededLimit } from '../sandbox/exceeded-limit.ts';
import { defineTool, type Tool } from './define-tool.ts';

export interface ShellRunDeps {
  readonly sandbox: Sandbox;
  /** May a command that asks for it have the host's network? */
  readonly networkAllowed: boolean;
}

/** A single argument of a process has at most 128 KiB on Linux. */
const longestCommandBytes = 120_000;

const inputSchema = z.strictObject({
  command: z
    .string()
    .min(1)
    .refine(
      (command) => Buffer.byteLength(command) <= longestCommandBytes,
      `has more than ${longestCommandBytes} bytes; pass data as stdin`,
    )
    .refine((command) => !command.includes('\0'), 'must not contain U+0000')
    .describe('run by `sh -c` in the first mounted directory, else in /tmp'),
  stdin: z.string().optional(),
  mounts: z
    .array(
      z.strictObject({
        path: z.string().min(1).describe('a directory under the roots that the operator allows'),
        at: z.string().min(1).optional().describe('where the command sees it; unless given, at its own path'),
        mode: z.enum(['ro', 'rw']),
      }),
    )
    .max(32)
    .optional(),
  network: z.boolean().optional(),
  allowNonZeroExit: z.boolean().optional(),
});
const outputSchema = z.strictObject({
  exitCode: z.int(),
  stdout: z.string(),
  stderr: z.string(),
  durationMs: z.int(),
  truncated: z.boolean().describe('stdout or stderr was longer than what is kept'),
});

/** `shell.run`. After a crash a command may run again from the start: write commands that bear it. */
export function createShellRun({ sandbox, networkAllowed }: ShellRunDeps): Tool {
  return defineTool({
    name: 'shell.run',
    description:
      'Runs a shell command in a sandbox: no network, no host files but the mounted directories, an empty /tmp, limits on CPU, memory, processes and files. A non-zero exit fails the task unless allowNonZeroExit is set.',
    input: inputSchema,
    output: outputSchema,
    effect: 'idempotent',
    risk: 'low',
    workerClass: 'sandbox',
    timeoutSeconds: 600,
    async run(input, context) {
      if (input.network === true && !networkAllowed) throw networkDenied();
      const result = await sandbox.run({
        ...input,
        signal: context.signal,
        onOutput: (stream, text) => context.progress({ stream, text }),
      });
      refuseFailure(result, sandbox, input.allowNonZeroExit ?? false);
      const { stderrTail: _, ...output } = result;
      return output;
    },
  });
}

function refuseFailure(result: SandboxResult, { limits }: Sandbox, allowNonZeroExit: boolean): void {
  const limit = exceededLimit(result, limits, { certainOnly: allowNonZeroExit });
  if (limit !== undefined)
    throw new AstraError('ASTRA_SANDBOX_LIMIT', withTail(`The command exceeded a limit: ${limit}`, result));
  if (result.exitCode === 0 || allowNonZeroExit) return;
  throw new AstraError('ASTRA_TOOL_FAILED', withTail(`The command ended with exit code ${result.exitCode}`, result));
}

const withTail = (text: string, { stderrTail }: SandboxResult): string => {
  const tail = stderrTail.trim();
  return tail === '' ? `${text}.` : `${text}; the end of its stderr:\n${tail}`;
};

const networkDenied = (): AstraError =>
  new AstraError(
    'ASTRA_EGRESS_DENIED',
    'This worker gives commands no network; leave `network` out, use http.fetch, or have the operator set ASTRA_SHELL_NETWORK.',
  );
