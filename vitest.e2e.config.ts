import { defineConfig } from 'vitest/config';

// Stock OpenTelemetry SDKs against the real command: `npm run test:e2e`. What is not to be had here is skipped with a reason that
// says how to get it; with FLYBALL_REQUIRE_REAL=1, as in CI, that is a failure.
export default defineConfig({
  test: {
    include: ['test/src/**/*.e2e.ts'],
    reporters: process.env['CI_TOTALS_E2E']
      ? ['default', ['json', { outputFile: process.env['CI_TOTALS_E2E'] }]]
      : ['default'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    fileParallelism: false,
  },
});
