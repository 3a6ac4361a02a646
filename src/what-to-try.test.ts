import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { whatToTry } from './what-to-try.ts'

const cwd = mkdtempSync(join(tmpdir(), 'what to try-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))
const searchPath = process.env['PATH'] ?? ''
const run = (command: string): string => execFileSync('/bin/sh', ['-c', command], { cwd, env: { PATH: searchPath, HOME: cwd }, encoding: 'utf8' })

test('what is proposed works at the first start, and at each one after it', async () => {
  const dir = join(cwd, '.plumb')
  const storefront = join(dir, 'git', 'storefront.git')
  mkdirSync(join(cwd, 'made', 'deploy', 'sandbox'), { recursive: true })
  writeFileSync(join(cwd, 'made', 'deploy', 'sandbox', 'deployment.yaml'), 'spec:\n  replicas: 1\n')
  run(`cd made && git init -q -b main && git add . && git -c user.name=a -c user.email=a@b commit -qm first && git clone -q --bare . ../.plumb/git/storefront.git`)
  const titles: string[] = []
  for (let start = 1; start <= 3; start += 1) {
    const [, , change = ''] = await whatToTry({ dir, cwd, storefront, url: 'http://127.0.0.1:1', searchPath })
    run(change)
    titles.push(run('git --git-dir .plumb/git/storefront.git log -1 --format=%s main').trim())
  }
  expect(titles).toEqual(['Three of each', 'Two of each', 'Three of each'])
})
