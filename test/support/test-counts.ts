import type { JsonTestResults } from 'vitest/node';

export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

type Report = Pick<JsonTestResults, 'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests'> & {
  readonly testResults: readonly Pick<JsonTestResults['testResults'][number], 'status' | 'assertionResults'>[];
};

/**
 * What a project's run came to. Nothing that went wrong may count as nothing: a file that failed before its first test,
 * an error outside any test, a run that died without a report and a project that has lost its tests each count as one.
 */
export function countTests(report: Report | null, options: { readonly exitCode: number }): TestCounts {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 };
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  const ranNothing = report.numPassedTests === 0;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && (options.exitCode !== 0 || ranNothing) ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

export function summaryLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
