import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['libs/**/src/**/*.test.ts', 'services/**/src/**/*.test.ts', 'test/src/**/*.test.ts'],
    testTimeout: 30_000,
    // Hooks start and stop the same processes as tests do.
    hookTimeout: 30_000,
    // Many files mostly wait for processes: one worker alone, as on two cores by default, would leave a core idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: process.env['CI_TOTALS'] ? ['default', ['json', { outputFile: process.env['CI_TOTALS'] }]] : ['default'],
  },
});
