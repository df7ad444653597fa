import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory to report on, thrown away when its scope ends. */
export interface Repository extends Disposable {
  readonly directory: string;
  write(files: Readonly<Record<string, string | Buffer>>): void;
  git(...args: readonly string[]): string;
  commit(message: string, author?: { readonly name: string; readonly email: string }): void;
  /** Runs a shell pipeline in it and gives the number it prints. */
  figure(pipeline: string): number;
}

/** Without the git variables of whoever runs the tests, from a hook for example. */
const environment = { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
const someone = { name: 'Someone', email: 'someone@example.org' };

export function createRepository(options: { readonly git: boolean }): Repository {
  const directory = mkdtempSync(join(tmpdir(), 'astra-repo-report-'));
  // A worker that is root lends its sandboxes to nobody.
  chmodSync(directory, 0o755);
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: directory, encoding: 'utf8', env: environment, maxBuffer: 64 * 1024 * 1024 });
  if (options.git) git('init', '--quiet', '--initial-branch=main');
  return {
    directory,
    git,
    write(files) {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(join(directory, dirname(name)), { recursive: true });
        writeFileSync(join(directory, name), content);
      }
    },
    commit(message, { name, email } = someone) {
      git('add', '--all');
      git('-c', `user.name=${name}`, '-c', `user.email=${email}`, 'commit', '--quiet', '--message', message);
    },
    figure(pipeline) {
      const text = execFileSync('sh', ['-c', pipeline], { cwd: directory, encoding: 'utf8', env: environment });
      return Number.parseInt(text, 10);
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
