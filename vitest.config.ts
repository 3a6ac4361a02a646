import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'playground/**/*.test.ts', 'test/**/*.test.ts'],
    // A process a worker: starting git, kubectl or a pod copies the page tables of who starts it, which are few in a process that runs one file.
    pool: 'forks',
    // An embedded store lives for seconds here: compiling its hot code a second time, for speed, costs more than the code gives back.
    execArgv: ['--liftoff-only'],
    // Stories mostly wait.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
