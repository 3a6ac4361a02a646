import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'playground/**/*.test.ts', 'test/**/*.test.ts'],
    // Stories of crashes and of bad input that wait for minutes: npm run test:long.
    exclude: ['**/node_modules/**', '**/*.long.test.ts'],
    pool: 'threads',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
