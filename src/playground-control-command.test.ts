import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import { startControlSocket } from '#playground/control/control-socket.ts'
import { playgroundControlCommand } from './playground-control-command.ts'

test('plumb playground mend says on standard error what is under way, and on standard output how it is', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-control-'))
  const row = { name: 'promote', environment: 'production', state: 'whole' as const, does: '', shows: '' }
  const socket = await startControlSocket(dir, async (_, tell) => (tell('production: copying the primary'), [row]), () => {})
  const [out, notes]: [string[], string[]] = [[], []]
  const around = { print: (line: string) => out.push(line), note: (line: string) => notes.push(line), colours: false, width: 120, cwd: dir, env: { dir }, now: () => 0, readFile: () => undefined }
  try {
    expect(await runCommandLine(['playground', 'mend', 'promote'], around, [playgroundControlCommand])).toBe(0)
    expect([out, notes]).toEqual([['production: promote is whole'], ['production: copying the primary …']])
  } finally {
    await socket.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})
