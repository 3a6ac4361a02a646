// How many random live edits of generated Kustomize trees are adopted, and where; ends with 1 where one is false or fewer than nine of ten are right: node bench/adopt.ts [trees] [first seed]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renderTools } from '#render/tools.ts'
import { trialOf } from '../test/trees/trial.ts'
import type { Trial } from '../test/trees/trial.ts'

const trees = Number(process.argv[2] ?? 200)
const first = Number(process.argv[3] ?? 1)
const tempDir = mkdtempSync(join(tmpdir(), 'plumbline-bench-adopt-'))
const tools = renderTools({ path: process.env['PATH'] ?? '', tempDir })
const trials: Trial[] = []
try {
  for (let seed = first; trials.length < trees; seed += 1) {
    const trial = await trialOf(seed, tools)
    if (trial === undefined) {
      console.log(`seed ${seed}: kustomize refuses the tree as it was made`)
      continue
    }
    trials.push(trial)
    if (trial.became === 'right') continue
    const { answer, wish } = trial
    const told = answer.outcome === 'proposed' ? answer.proposal.edits.map(({ file, line }) => `${file}:${line}`).join(' ') : answer.outcome === 'refused' ? `${answer.failure.code}: ${answer.failure.message}` : answer.outcome
    console.log(`seed ${seed}: ${trial.became}: ${wish.key} ${wish.kind === 'gone' ? 'gone' : JSON.stringify(wish.fields)}\n  ${told}\n  expected ${trial.expected}`)
  }
} finally {
  rmSync(tempDir, { recursive: true, force: true })
}
const count = (became: Trial['became']): number => trials.filter((trial) => trial.became === became).length
const renderings = trials.map((trial) => trial.renderings).sort((a, b) => a - b)
console.log(`${trees} trees: ${count('right')} adopted at the right place, ${count('elsewhere')} elsewhere, ${count('refused')} refused, ${count('false')} false`)
console.log(`renderings an adoption: ${renderings[Math.floor(trees / 2)]} in the middle, ${renderings.at(-1)} at most`)
if (count('false') > 0 || count('right') < trees * 0.9) process.exitCode = 1
