import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { trialOf } from '../../../test/trees/trial.ts'
import { renderTools } from '../tools.ts'

const tempDir = mkdtempSync(join(tmpdir(), 'plumbline-trees-test-'))
const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const tool = await tools.kustomize()
afterAll(() => rmSync(tempDir, { recursive: true, force: true }))

// Two hundred of them: node bench/adopt.ts
test.skipIf(tool === undefined).each([3, 4, 35, 46])(`live edits of generated trees (seed %i) are adopted where they belong, and hold (${tool?.version ?? 'neither kustomize nor kubectl is on the PATH'})`, async (seed) => {
  expect(await trialOf(seed, tools)).toMatchObject({ became: 'right' })
})
