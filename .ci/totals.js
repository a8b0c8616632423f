// Prints the closing lines of CI from the test runner's JSON reports: each test that failed or was skipped by name, and each file that
// failed outside its tests (a hook, an import), since of a long log only the end may be kept; then `N passed, N failed, N skipped`.
// Steps that failed though no test did (the first argument says how many failed) count as one failure, and so does a report that is missing.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [stepsFailed, ...paths] = process.argv.slice(2);
const totals = { passed: 0, failed: 0, skipped: 0 };
for (const path of paths) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    totals.passed += report.numPassedTests;
    totals.failed += report.numFailedTests;
    totals.skipped += report.numPendingTests;
    for (const { name, status: fileStatus, message, assertionResults } of report.testResults) {
      if (fileStatus === 'failed' && !assertionResults.some(({ status }) => status === 'failed')) {
        process.stdout.write(`failed: ${relative(process.cwd(), name)}, outside its tests\n  ${message}\n`);
      }
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
if (stepsFailed !== '0' && totals.failed === 0) totals.failed = 1;
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exit(totals.failed === 0 ? 0 : 1);
