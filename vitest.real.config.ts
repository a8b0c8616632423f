import { defineConfig } from 'vitest/config';

// Tests against real servers (Kafka, Redis, S3): `npm run test:real`. What is not to be had here is skipped with a reason
// that says how to get it; with FLYBALL_REQUIRE_REAL=1, as in CI, that is a failure.
export default defineConfig({
  test: {
    include: ['test/src/real/**/*.real.ts'],
    globalSetup: ['test/src/real/global-setup.ts'],
    reporters: process.env['CI_TOTALS_REAL']
      ? ['default', ['json', { outputFile: process.env['CI_TOTALS_REAL'] }]]
      : ['default'],
    testTimeout: 60_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
