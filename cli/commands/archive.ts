import { Command } from 'commander';
import { downloadFiles } from '../download-artifacts.ts';
import { parseCount } from '../pairs.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

async function printArchive(session: Session, { limit }: { readonly limit: number }): Promise<undefined> {
  const { astra, io } = session;
  const items = await takeItems(astra.archive.all({}, { signal: io.signal }), limit);
  session.print({ items }, () =>
    items.length === 0
      ? ['nothing is archived']
      : formatTable(
          ['GOAL', 'STATUS', 'FINISHED', 'ARCHIVED', 'BYTES'],
          items.map((goal) => [goal.goalId, goal.status, goal.finishedAt, goal.archivedAt, String(goal.sizeBytes)]),
          terminalWidth(io.stdout),
        ),
  );
}

async function getArchived(
  session: Session,
  id: string,
  { download }: { readonly download?: string },
): Promise<undefined> {
  const { astra, io } = session;
  const { signal } = io;
  if (download === undefined) {
    const record = await astra.archive.download(id, { signal });
    io.stdout.write(await record.text());
    return;
  }
  const archived = await astra.archive.get(id, { signal });
  const files = [
    { name: `${id}.ndjson`, fetch: () => astra.archive.download(id, { signal }) },
    ...archived.artifacts.map(({ id: artifactId, name, sha256 }) => ({
      name,
      sha256,
      fetch: () => astra.archive.downloadArtifact(id, artifactId, { signal }),
    })),
  ];
  const paths = await downloadFiles(session, files, download);
  session.print({ paths }, () => paths);
}

/** `astra archive …` */
export function createArchiveCommand(bind: Bind): Command {
  const archive = new Command('archive').description('read goals that were archived before they were deleted');
  archive
    .command('list')
    .description('list archived goals, latest first')
    .option('-n, --limit <count>', 'how many', parseCount(1), 20)
    .action(bind(printArchive));
  archive
    .command('get <id>')
    .description('print the record of an archived goal, one JSON document a line')
    .option('--download <directory>', 'fetch it with its artifacts into this directory; prints their paths')
    .action(bind(getArchived));
  return archive;
}
