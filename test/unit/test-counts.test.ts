import { describe, expect, test } from 'vitest';
import { countTests, summaryLine } from '../support/test-counts.ts';

const report = (counts: { passed?: number; failed?: number; pending?: number; brokenFiles?: number }) => ({
  numPassedTests: counts.passed ?? 0,
  numFailedTests: counts.failed ?? 0,
  numPendingTests: counts.pending ?? 0,
  numTodoTests: 0,
  testResults: Array.from({ length: counts.brokenFiles ?? 0 }, () => ({
    status: 'failed' as const,
    assertionResults: [],
  })),
});

describe('the counts of a test run', () => {
  test.each([
    ['all passed', report({ passed: 3 }), 0, '3 passed, 0 failed'],
    [
      'one failed and one was skipped',
      report({ passed: 3, failed: 1, pending: 1 }),
      1,
      '3 passed, 1 failed, 1 skipped',
    ],
    ['a file could not be loaded', report({ passed: 3, brokenFiles: 1 }), 1, '3 passed, 1 failed'],
    ['an error was thrown outside any test', report({ passed: 3 }), 1, '3 passed, 1 failed'],
    ['no test ran', report({}), 0, '0 passed, 1 failed'],
    ['the run died without a report', null, 137, '0 passed, 1 failed'],
  ])('say so when %s', (_case, given, exitCode, line) => {
    expect(summaryLine(countTests(given, { exitCode }))).toBe(line);
  });
});
