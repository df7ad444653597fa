import { Command } from 'commander';
import type { Bind, Session } from '../session.ts';
import { clean } from '../text/clean.ts';

async function printMe(session: Session): Promise<undefined> {
  const me = await session.astra.me({ signal: session.io.signal });
  session.print(me, () => [clean(`${me.subject} of tenant ${me.tenant}, may: ${me.scopes.join(' ')}`)]);
}

/** `astra me` */
export const createMeCommand = (bind: Bind): Command =>
  new Command('me')
    .description('show whom the token belongs to and what it allows')
    .action(bind((session) => printMe(session)));
