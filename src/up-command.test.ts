import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import { logTo } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { upCommand } from './up-command.ts'

/** A test's process is not to be stopped as the program is. */
const nobody = (): AbortSignal => new AbortController().signal

function place(): Surroundings & { notes: string[] } {
  const notes: string[] = []
  return { notes, print: () => {}, note: (line) => notes.push(line), colours: false, width: 200, cwd: '/nowhere', env: {}, now: () => 0, readFile: () => undefined }
}

test.each([
  ['that is named', ['--kubeconfig', '/nope.yaml'], {}, '/nope.yaml'],
  ['of the environment', [], { KUBECONFIG: '/of/the/environment' }, '/of/the/environment'],
  ['of the environment', [], { KUBECONFIG: '/one:/two' }, '/one, /two'],
  ['of the home folder', [], { KUBECONFIG: '' }, '/.kube/config'],
])('without the kubeconfig %s it does not start', async (_, args, env, path) => {
  const around = place()
  expect(await runCommandLine(['up', '--workspace', 'here', ...args], around, [upCommand(env, nobody)])).toBe(2)
  expect(around.notes[0]).toMatch(/^kubeconfig-invalid: /)
  expect(around.notes[0]).toContain(`${path}: there is no such file`)
})

test('where its port is taken it says so, and makes nothing', async () => {
  const home = mkdtempSync(join(tmpdir(), 'plumbline-up-'))
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const around = { ...place(), cwd: home, readFile: () => '' }
  try {
    expect(await runCommandLine(['up', '--workspace', 'here', '--kubeconfig', 'k', '--port', String(port)], around, [upCommand({}, nobody)])).toBe(2)
    expect(around.notes[0]).toContain(`port-taken: port ${port}: something else listens there already`)
    expect(readdirSync(home)).toEqual([])
  } finally {
    taken.close()
    rmSync(home, { recursive: true, force: true })
  }
})

test('beyond this machine it says that it serves plain HTTP', async () => {
  const notes = async (...args: string[]): Promise<string[]> => {
    const around = place()
    await runCommandLine(['up', '--workspace', 'here', '--kubeconfig', 'k', '--port', '1', '--dir', 'd', ...args], { ...around, readFile: () => '' }, [upCommand({ DATABASE_URL: 'no url' }, nobody)])
    return around.notes
  }
  expect((await notes('--host', '0.0.0.0'))[0]).toMatch(/^It serves plain HTTP at 0\.0\.0\.0: .* TLS\.$/)
  for (const host of ['127.0.0.1', '::1', 'localhost']) expect((await notes('--host', host)).join()).not.toContain('plain HTTP')
})

test('lines of the log are safe to print', () => {
  const around = place()
  logTo(around)('fetching \u001b[31mred\u001b]0;title\u0007 \u202eback\nnext')
  expect(around.notes).toEqual(['fetching red back next'])
})
