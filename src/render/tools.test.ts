import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { renderTools } from './tools.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function found(programs: Readonly<Record<string, string>>): Promise<string | undefined> {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-tools-'))
  folders.push(path)
  for (const [name, output] of Object.entries(programs)) {
    writeFileSync(join(path, name), `#!/bin/sh\necho '${output}'\n`)
    chmodSync(join(path, name), 0o755)
  }
  return (await renderTools({ path, tempDir: path }).kustomize())?.version
}

test.each<[string, Record<string, string>, string | undefined]>([
  ['kustomize itself', { kustomize: 'v5.6.0', kubectl: 'Client Version: v1.32.0\nKustomize Version: v5.5.0' }, 'kustomize 5.6.0'],
  ['kustomize of before', { kustomize: '{Version:kustomize/v4.5.7 GitCommit:56d82a8}' }, 'kustomize 4.5.7'],
  ['kubectl', { kubectl: 'Client Version: v1.32.0\nKustomize Version: v5.5.0' }, 'kubectl 5.5.0'],
  ['a kubectl whose kustomize is too old, and unnamed', { kubectl: 'Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2"}' }, undefined],
  ['an old kustomize beside a new kubectl', { kustomize: 'v3.8.1', kubectl: 'Kustomize Version: v5.5.0' }, 'kubectl 5.5.0'],
  ['nothing', {}, undefined],
])('%s', async (_, programs, version) => {
  expect(await found(programs)).toBe(version)
})
