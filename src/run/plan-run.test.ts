import { expect, test } from 'vitest'
import { planRun } from './plan-run.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

test('a module whose repository is not at hand is not planned as gone: the run waits', async () => {
  const work = {
    parts: { sql: { query: async () => [] } },
    run: { environment: 'dev', modules: { shop: { intent: 'sha256:1', changed: true } } },
    claim: { signal: new AbortController().signal },
  } as unknown as Work
  await expect(planRun(work, { modules: new Map() } as unknown as Intents)).rejects.toMatchObject({ code: 'module-unread', subject: 'module shop', retry: 'later' })
})
