import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import { startControlSocket } from '#playground/control/control-socket.ts'
import { playgroundCommand } from './playground-command.ts'
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

test('plumb playground break lists each once, in lines that fit wherever they are written to; a word that it does not know is named', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'plumb-control-'))
  const long = { does: 'what it does '.repeat(20).trim(), shows: 'what is seen '.repeat(20).trim() }
  const rows = (['sandbox', 'production'] as const).map((environment) => ({ name: 'image', environment, state: environment === 'sandbox' ? ('whole' as const) : ('broken' as const), ...long }))
  const socket = await startControlSocket(dir, async () => rows, () => {})
  const [out, notes]: [string[], string[]] = [[], []]
  const around = { print: (line: string) => out.push(line), note: (line: string) => notes.push(line), colours: false, width: Infinity, cwd: dir, env: { dir }, now: () => 0, readFile: () => undefined }
  try {
    expect(await runCommandLine(['playground', 'break'], around, [playgroundControlCommand])).toBe(0)
    expect(out[0]).toBe('image: sandbox whole, production broken')
    expect(out.filter((line) => line.length > 120)).toEqual([])
    expect(out.join(' ').replaceAll(/ +/g, ' ')).toContain(`does: ${long.does} seen: ${long.shows} node is not among them`)
    expect(await runCommandLine(['playground', 'strat'], around, [playgroundCommand({}), playgroundControlCommand])).toBe(2)
    expect(await runCommandLine(['playground', 'raset'], around, [playgroundCommand({}), playgroundControlCommand])).toBe(2)
    expect(notes).toEqual([
      'usage: plumb playground: it has no command “strat”', '  It has: break, mend, reset (see plumb playground --help).',
      'usage: plumb playground: it has no command “raset”', '  Did you mean “reset”?',
    ])
  } finally {
    await socket.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})
