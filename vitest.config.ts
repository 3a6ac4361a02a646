import { defineConfig } from 'vitest/config'

/** What starts clusters, servers or whole control planes in its own process. */
const heavy = ['test/story/**/*.test.ts', 'playground/*.test.ts', 'playground/{control,databases,operators}/*.test.ts']

export default defineConfig({
  test: {
    globalSetup: './test/set-up.ts',
    // Processes, not threads: starting git, kubectl or a pod copies the page tables of who starts it.
    pool: 'forks',
    // An embedded store lives for seconds here: compiling its hot code a second time, for speed, costs more than the code gives back.
    execArgv: ['--liftoff-only'],
    // Tests mostly wait.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      // A process for each file: its memory makes every start of a program slow, and goes with it.
      { extends: true, test: { name: 'stories', include: heavy } },
      { extends: true, test: { name: 'rooms', include: ['{src,playground,test}/**/*.test.ts'], exclude: heavy, isolate: false } },
    ],
  },
})
