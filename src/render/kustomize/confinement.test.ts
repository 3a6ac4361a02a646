import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { memoryTree } from '#model/memory-tree.ts'
import { memoryRenderCache } from '../cache.ts'
import { renderModule } from '../render.ts'
import { renderTools } from '../tools.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A program named kustomize that does something else in place of a build. */
function confined(build: string) {
  const folder = mkdtempSync(join(tmpdir(), 'plumbline-confinement-'))
  folders.push(folder)
  const tempDir = join(folder, 'temp')
  mkdirSync(tempDir)
  writeFileSync(join(folder, 'kustomize'), `#!/bin/sh\nif [ "$1" = version ]; then echo v5.0.0; exit; fi\n${build}\n`)
  chmodSync(join(folder, 'kustomize'), 0o755)
  const render = (signal = new AbortController().signal) =>
    renderModule({
      reader: memoryTree({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': 'apiVersion: v1\nkind: A\nmetadata: { name: a }\n', 'secret.txt': 'not for the build' }),
      path: '.',
      spec: { empty: false, plainSecrets: false },
      subject: 'module m',
      cache: memoryRenderCache(),
      tools: renderTools({ path: folder, tempDir }),
      signal,
    })
  return { render, tempDir, folder }
}

test('a build sees no environment of ours, a home of its own, no programs, and only the files that it needs', async () => {
  vi.stubEnv('PLUMBLINE_CANARY', 'canary-2c9')
  const { render } = confined(`echo "apiVersion: v1
kind: ConfigMap
metadata: { name: seen }
data: { env: '$(/usr/bin/env | /usr/bin/tr '\\n' ' ')', files: '$(cd "$2" && /usr/bin/find . -type f | /usr/bin/tr '\\n' ' ')', git: '$(command -v git || echo none)' }"`)
  const { desired } = await render()
  vi.unstubAllEnvs()
  const seen = desired[0]?.body['data'] as { env: string; files: string; git: string }
  expect(seen.env).not.toContain('canary')
  expect(seen.env).toMatch(/HOME=\S+\/home /)
  expect(seen.files.trim().split(' ').sort()).toEqual(['./a.yaml', './kustomization.yaml'])
  expect(seen.git).toBe('none')
})

test('a build that writes without end is stopped, and leaves nothing', async () => {
  const { render, tempDir } = confined(`x=0123456789abcdef; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do x=$x$x; done; while :; do echo "$x"; done`)
  await expect(render()).rejects.toMatchObject({ code: 'process-output-too-large' })
  expect(readdirSync(tempDir)).toEqual([])
})

test('a build that hangs ends with its call, and leaves nothing', async () => {
  const { render, tempDir, folder } = confined(`: > "$HOME/../../../started"; while :; do :; done`)
  const controller = new AbortController()
  const rendering = render(controller.signal)
  await vi.waitFor(() => expect(existsSync(join(folder, 'started'))).toBe(true), { timeout: 5_000 })
  controller.abort(new Error('enough'))
  await expect(rendering).rejects.toMatchObject({ code: 'process-killed' })
  expect(readdirSync(tempDir)).toEqual([])
})

test.skipIf(process.platform !== 'linux')('a build that takes all memory does not get it', async () => {
  const { render } = confined(`echo "{ apiVersion: v1, kind: A, metadata: { name: a }, kibibytes: $(ulimit -v) }"`)
  expect((await render()).desired[0]?.body['kibibytes']).toBe(4 * 1024 * 1024)
})
