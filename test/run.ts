import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonTestResults } from 'vitest/node';
import { countTests, summaryLine, type TestCounts } from './support/test-counts.ts';

/**
 * Runs the test projects one after another, each in a process of its own, so that one that hangs on to memory, ports or
 * a stopped server cannot spoil the next. `node test/run.ts unit e2e` runs only those. The last line has the counts.
 */
const allProjects = ['unit', 'workflow', 'replay', 'integration', 'e2e', 'chaos', 'bench'];
const root = join(import.meta.dirname, '..');

async function runProject(project: string, reportFile: string): Promise<number> {
  const args = [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
  ];
  const vitest = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    vitest.once('error', reject);
    vitest.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

async function readReport(file: string): Promise<JsonTestResults | null> {
  try {
    // Written by vitest a moment ago, in the form that its type says.
    return JSON.parse(await readFile(file, 'utf8')) as JsonTestResults;
  } catch {
    return null;
  }
}

const projects = process.argv.length > 2 ? process.argv.slice(2) : allProjects;
const reports = await mkdtemp(join(tmpdir(), 'astra-test-'));
const total: TestCounts = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const project of projects) {
    console.log(`\n── ${project}`);
    const reportFile = join(reports, `${project}.json`);
    const exitCode = await runProject(project, reportFile);
    const counts = countTests(await readReport(reportFile), { exitCode });
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
} finally {
  await rm(reports, { recursive: true, force: true });
}
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
console.log(summaryLine(total));
