import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/story/*.long.test.ts'], pool: 'threads', testTimeout: 120_000, hookTimeout: 120_000 },
})
