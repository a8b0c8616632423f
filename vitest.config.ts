import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['libs/**/src/**/*.test.ts', 'services/**/src/**/*.test.ts', 'test/src/**/*.test.ts'],
    testTimeout: 30_000,
    reporters: process.env['CI_TOTALS'] ? ['default', ['json', { outputFile: process.env['CI_TOTALS'] }]] : ['default'],
  },
});
