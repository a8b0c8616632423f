// Prints the closing line of CI, `N passed, N failed, N skipped`, from the test runner's JSON report.
// A step that failed outside the test runner (second argument 1) counts as one failure.
import { readFileSync } from 'node:fs';

const [path, stepFailed] = process.argv.slice(2);
let totals = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0 };
try {
  totals = JSON.parse(readFileSync(path, 'utf8'));
} catch {
  // No report: the runner died before it could write one, which is the failure counted above.
}
const failed = totals.numFailedTests + (stepFailed === '1' && totals.numFailedTests === 0 ? 1 : 0);
process.stdout.write(`${totals.numPassedTests} passed, ${failed} failed, ${totals.numPendingTests} skipped\n`);
process.exit(failed === 0 ? 0 : 1);
