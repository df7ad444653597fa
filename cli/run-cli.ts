import { Command, CommanderError, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { createApprovalPolicyCommand } from './commands/approval-policy.ts';
import { createApprovalCommand } from './commands/approval.ts';
import { createArchiveCommand } from './commands/archive.ts';
import { createSubjectCommand, createTenantCommand } from './commands/deletion.ts';
import { createBudgetCommand } from './commands/budget.ts';
import { createGoalCommand } from './commands/goal.ts';
import { createInboundWebhookCommand } from './commands/inbound-webhook.ts';
import { createLimitCommand } from './commands/limit.ts';
import { createMeCommand } from './commands/me.ts';
import { createScheduleCommand } from './commands/schedule.ts';
import { createRetentionCommand } from './commands/retention.ts';
import { createTaskCommand } from './commands/task.ts';
import { createTemplateCommand } from './commands/template.ts';
import { createTokenCommand } from './commands/token.ts';
import { createToolCommand } from './commands/tool.ts';
import { createWebhookCommand } from './commands/webhook.ts';
import { exitCodes, exitCodesHelp, type ExitCode } from './exit-codes.ts';
import type { Io } from './io.ts';
import { reportError } from './report-error.ts';
import { createBind } from './session.ts';
import { wantsColor } from './settings.ts';
import { createPaint } from './text/paint.ts';
import { terminalWidth } from './text/terminal-width.ts';

function createProgram(io: Io, exit: (code: ExitCode) => void): Command {
  const bind = createBind(io, exit);
  const program = new Command('astra')
    .description('Submit goals to Astra, watch them, decide their approvals.')
    .version(packageJson.version, '--version', 'print the version')
    .option('--api-url <url>', 'URL of the API (default: ASTRA_API_URL, else the local stack found from here upwards)')
    .option('--token <token>', 'bearer token (default: ASTRA_TOKEN, else the local stack’s own)')
    .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
    .addHelpText('after', exitCodesHelp);
  for (const create of [
    createGoalCommand,
    createApprovalCommand,
    createApprovalPolicyCommand,
    createBudgetCommand,
    createTaskCommand,
    createTemplateCommand,
    createScheduleCommand,
    createToolCommand,
    createWebhookCommand,
    createInboundWebhookCommand,
    createLimitCommand,
    createMeCommand,
    createTokenCommand,
    createRetentionCommand,
    createArchiveCommand,
    createSubjectCommand,
    createTenantCommand,
  ]) {
    program.addCommand(create(bind));
  }
  const settle = (command: Command): void => {
    command
      .exitOverride()
      .showHelpAfterError('(add --help for usage)')
      .configureOutput({
        writeOut: (text) => void io.stdout.write(text),
        writeErr: (text) => void io.stderr.write(text),
        getOutHelpWidth: () => terminalWidth(io.stdout) ?? 100,
        getErrHelpWidth: () => terminalWidth(io.stderr) ?? 100,
      });
    command.commands.forEach(settle);
  };
  settle(program);
  return program;
}

/** Runs one command line to its end. @returns the exit code of the process; everything else is said on the streams. */
export async function runCli(args: readonly string[], io: Io): Promise<ExitCode> {
  let code: ExitCode = exitCodes.completed;
  const program = createProgram(io, (given) => (code = given));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // commander has said on the streams what there is to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.completed : exitCodes.usage;
    if (io.signal.aborted) return exitCodes.interrupted;
    const paint = createPaint(io.stderr.isTTY === true && wantsColor(io.env));
    const { exitCode, lines } = reportError(error, { json: program.opts().output === 'json', paint });
    io.stderr.write(`${lines.join('\n')}\n`);
    return exitCode;
  }
}
