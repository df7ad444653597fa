import { readConnection } from './connection.ts';
import { runningLauncher } from './launcher-lock.ts';
import { statePaths } from './paths.ts';
import { answers } from './ports.ts';
import { type ComponentStatus, readStatus } from './stack-status.ts';

export interface StatusReport {
  running: boolean;
  launcherPid: number | null;
  apiUrl: string | null;
  components: (Omit<ComponentStatus, 'state'> & { state: ComponentStatus['state'] | 'not answering' })[];
}

/** What the launcher says of each component, corrected by whether it accepts connections now. */
async function inspectStack(root: string): Promise<StatusReport> {
  const paths = statePaths(root);
  const launcherPid = runningLauncher(paths.launcher);
  if (launcherPid === null) return { running: false, launcherPid, apiUrl: null, components: [] };
  const components = await Promise.all(
    readStatus(paths.status).map(async (component) => {
      const silent = component.state === 'up' && !(await answers(component.port));
      return silent ? { ...component, state: 'not answering' as const } : component;
    }),
  );
  return { running: true, launcherPid, apiUrl: readConnection(paths.connection)?.apiUrl ?? null, components };
}

/** `npm run status`: prints a table, or JSON. Returns 0 when everything is up. */
export async function status(root: string, options: { json: boolean }): Promise<number> {
  const report = await inspectStack(root);
  const { components } = report;
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else
    process.stdout.write(report.running ? table(components) : 'No local stack is running. Start it with: npm start\n');
  return components.length > 0 && components.every(({ state }) => state === 'up') ? 0 : 1;
}

function table(components: StatusReport['components']): string {
  if (components.length === 0) return 'The local stack is starting.\n';
  const rows = components.map(({ name, state, version, port, pid }) => [
    name,
    state,
    version,
    `127.0.0.1:${port}`,
    String(pid ?? '–'),
  ]);
  const all = [['component', 'state', 'version', 'address', 'pid'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
