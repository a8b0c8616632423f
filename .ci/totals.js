// Prints the closing line of CI, `N passed, N failed, N skipped`, from the test runner's JSON reports.
// A step that failed outside the test runner (first argument 1) counts as one failure, and so does a report that is missing.
import { readFileSync } from 'node:fs';

const [stepFailed, ...paths] = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const path of paths) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    totals.passed += report.numPassedTests;
    totals.failed += report.numFailedTests;
    totals.skipped += report.numPendingTests;
  } catch {
    totals.failed += 1;
  }
}
if (stepFailed === '1' && totals.failed === 0) totals.failed = 1;
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);
