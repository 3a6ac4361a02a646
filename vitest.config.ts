import { defineConfig } from 'vitest/config'

/** What takes long: whole playgrounds, and their parts. */
const heavy = [
  'test/story/{adopt,broken-database,command,drift,drill,gates*,path,review-plan,transitions,verification}.test.ts',
  'playground/*.test.ts',
  'playground/{control,databases,operators}/*.test.ts',
]

export default defineConfig({
  test: {
    globalSetup: './test/set-up.ts',
    // Processes, not threads: starting git, kubectl or a pod copies the page tables of who starts it.
    pool: 'forks',
    // An embedded store lives for seconds here: compiling its hot code a second time, for speed, costs more than the code gives back.
    execArgv: ['--liftoff-only'],
    maxWorkers: 3, // one more than most machines of CI have cores: tests wait, too
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // As long as `eventually`: where three files are at work a second is soon over.
    expect: { poll: { timeout: 10_000 } },
    // One process for many files: what each compiles of ours and of others' is compiled once, and warm.
    isolate: false,
    projects: [
      // By its name it begins first: what is short fills the end.
      { extends: true, test: { name: 'playgrounds', include: heavy } },
      { extends: true, test: { name: 'rooms', include: ['{src,playground,test}/**/*.test.ts'], exclude: heavy } },
    ],
  },
})
