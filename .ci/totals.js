// Prints the closing lines of CI from the test runner's JSON reports: each test that failed or was skipped by name, since of a long
// log only the end may be kept; then `N passed, N failed, N skipped`.
// A step that failed outside the test runner (first argument 1) counts as one failure, and so does a report that is missing.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [stepFailed, ...paths] = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const path of paths) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    totals.passed += report.numPassedTests;
    totals.failed += report.numFailedTests;
    totals.skipped += report.numPendingTests;
    for (const { name, assertionResults } of report.testResults) {
      for (const { status, fullName, failureMessages } of assertionResults) {
        if (status === 'passed') continue;
        const [why = ''] = (failureMessages?.[0] ?? '').split('\n');
        process.stdout.write(`${status}: ${relative(process.cwd(), name)} > ${fullName}${why && `\n  ${why}`}\n`);
      }
    }
  } catch {
    totals.failed += 1;
  }
}
if (stepFailed === '1' && totals.failed === 0) totals.failed = 1;
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);
