import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'playground/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'threads',
    // Stories mostly wait (for pods, probes and deadlines), so that more of them than there are cores go side by side.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
