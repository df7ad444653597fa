// Makes the packages ready before anything of the project runs. It is the only file that runs on the machine's own Node,
// so it is plain JavaScript, uses built-ins alone, and nothing newer than what Node 20 has; the packages bring the Node
// that runs the rest (`node_modules/.bin/node`, which npm puts first in the PATH of its scripts).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const minimumNode = 20;

/**
 * Why the installed packages are not those of the lock file, or null when they are. npm keeps what it installed in
 * `node_modules/.package-lock.json`; comparing entries, unlike comparing times, also survives a `git checkout`.
 */
export function packagesOutdated(projectDir) {
  if (!existsSync(join(projectDir, 'node_modules', '.bin', 'node'))) return 'no packages are installed yet';
  const wanted = readLock(join(projectDir, 'package-lock.json'));
  const installed = readLock(join(projectDir, 'node_modules', '.package-lock.json'));
  if (wanted === null) return null;
  if (installed === null) return 'npm has left no list of what is installed';
  for (const [path, entry] of Object.entries(wanted)) {
    // Entries outside node_modules are the workspaces; optional ones are other platforms' builds.
    if (!path.startsWith('node_modules/') || entry.optional || entry.devOptional) continue;
    const found = installed[path];
    if (found === undefined) return `${path} is not installed`;
    if (!entry.link && found.version !== entry.version) return `${path} is not ${entry.version}`;
  }
  return null;
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return null;
  }
}

/** The environment for npm without the packages' own programs: npm replaces the Node among them while it runs. */
function environmentWithoutPackages(env) {
  const inPackages = `node_modules${sep}.bin`;
  const path = (env.PATH || '').split(delimiter).filter((entry) => !entry.endsWith(inPackages));
  const kept = Object.entries(env).filter(
    ([name]) => !/^npm_(lifecycle|package|command|node_execpath|execpath)/.test(name),
  );
  return Object.assign(Object.fromEntries(kept), { PATH: path.join(delimiter) });
}

function installPackages(projectDir) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const terminal = process.stdout.isTTY === true;
  process.stdout.write(terminal ? 'installing packages…' : 'installing packages…\n');
  const ticker = setInterval(
    () =>
      process.stdout.write(
        terminal ? `\rinstalling packages…  ${seconds()} s` : `installing packages…  ${seconds()} s\n`,
      ),
    terminal ? 1000 : 15000,
  );
  return new Promise((resolve) => {
    // Not `npm ci`: it refuses a lock file without the builds for other platforms, which a mirror may not have. What it
    // would guarantee, the versions of the lock file and no other, is checked afterwards.
    const args = ['install', '--no-save', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'];
    const npm = spawn('npm', args, {
      cwd: projectDir,
      env: environmentWithoutPackages(process.env),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    npm.stdout.resume();
    npm.on('error', (error) => resolve(error.message));
    npm.on('exit', (code, signal) =>
      resolve(code === 0 ? packagesOutdated(projectDir) : `npm ended with ${signal || `code ${code}`}`),
    );
  }).then((failure) => {
    clearInterval(ticker);
    process.stdout.write(
      `${terminal ? '\r\u001b[K' : ''}${failure === null ? 'installed packages' : 'packages not installed'}  ${seconds()} s\n`,
    );
    return failure;
  });
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

async function main() {
  const projectDir = fileURLToPath(new URL('../../', import.meta.url));
  if (Number(process.versions.node.split('.')[0]) < minimumNode) {
    fail(
      `Astra needs Node ${minimumNode} or later to start, and this is ${process.version}. Install a current one and try again.`,
    );
    return;
  }
  if (packagesOutdated(projectDir) === null) return;
  const failure = await installPackages(projectDir);
  if (failure !== null)
    fail(`The packages could not be installed: ${failure}. Look above, then run 'npm install' by hand.`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
