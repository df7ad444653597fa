import { Command } from 'commander';
import type { Deletion } from '@astra/sdk';
import type { Bind, Session } from '../session.ts';

const removedText = ({ removed }: Deletion): string => {
  const { goals, objects, executions, votes } = removed;
  return `${goals} goals, ${objects} objects, ${executions} executions deleted${votes > 0 ? `, ${votes} votes unnamed` : ''}`;
};

interface DeletionFlags {
  /** False with --no-wait. */
  readonly wait: boolean;
}

/** Prints a deletion, when it is completed unless the caller does not wait for that. */
async function follow(session: Session, begun: Deletion, { wait }: DeletionFlags): Promise<undefined> {
  if (begun.status === 'running') session.note(`${begun.id} is under way`);
  const deletion = wait ? await session.astra.deletions.result(begun.id, { signal: session.io.signal }) : begun;
  session.print(deletion, () => [
    deletion.status === 'completed' ? removedText(deletion) : `${deletion.id} ${deletion.status}`,
  ]);
}

async function deleteGoal(session: Session, id: string, flags: DeletionFlags): Promise<undefined> {
  return follow(session, await session.astra.goals.delete(id, { signal: session.io.signal }), flags);
}

async function deleteTenant(session: Session, name: string, flags: DeletionFlags): Promise<undefined> {
  return follow(session, await session.astra.tenant.delete(name, { signal: session.io.signal }), flags);
}

async function forgetSubject(session: Session, subject: string, flags: DeletionFlags): Promise<undefined> {
  return follow(session, await session.astra.subjects.forget(subject, { signal: session.io.signal }), flags);
}

async function printDeletion(session: Session, id: string): Promise<undefined> {
  const deletion = await session.astra.deletions.get(id, { signal: session.io.signal });
  session.print(deletion, () => [`${deletion.id} ${deletion.status}`, removedText(deletion)]);
}

const noWait = ['--no-wait', 'do not wait until everything is gone'] as const;

/** `astra goal delete` */
export const addGoalDelete = (goal: Command, bind: Bind): Command =>
  goal
    .command('delete <id>')
    .description('delete a goal that has ended, with its sub-goals and its archive')
    .option(...noWait)
    .action(bind(deleteGoal));

/** `astra tenant …` */
export function createTenantCommand(bind: Bind): Command {
  const tenant = new Command('tenant').description('delete everything of a tenant');
  tenant
    .command('delete <name>')
    .description('delete everything of the token’s tenant, what runs included; give its name to confirm')
    .option(...noWait)
    .action(bind(deleteTenant));
  tenant.command('deletion <id>').description('show how far a deletion is').action(bind(printDeletion));
  return tenant;
}

/** `astra subject …` */
export function createSubjectCommand(bind: Bind): Command {
  const subject = new Command('subject').description('forget the subject of a token');
  subject
    .command('forget <subject>')
    .description('delete the goals that it submitted, and put a pseudonym under its votes on others')
    .option(...noWait)
    .action(bind(forgetSubject));
  return subject;
}
