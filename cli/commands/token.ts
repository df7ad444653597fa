import { Command } from 'commander';
import { readLine } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';

async function revokeToken(session: Session, file: string | undefined): Promise<undefined> {
  const token = file === undefined ? undefined : await readLine(file, session.io);
  await session.astra.tokens.revoke(token, { signal: session.io.signal });
  session.print({ revoked: true }, () => [token === undefined ? 'revoked the token in use' : 'revoked']);
}

/** `astra token …` */
export function createTokenCommand(bind: Bind): Command {
  const token = new Command('token').description('end tokens before they expire');
  token
    .command('revoke [file]')
    // From a file: a command line is seen by others on the machine, and kept in histories.
    .description('revoke the token in a file (- is standard input), without one the token in use')
    .action(bind((session, file: string | undefined) => revokeToken(session, file)));
  return token;
}
