import { expect, test } from 'vitest'
import { runCommandLine } from '#cli/program.ts'
import { logTo } from '#cli/surroundings.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { upCommand } from './up-command.ts'

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
  expect(await runCommandLine(['up', '--workspace', 'here', ...args], around, [upCommand(env)])).toBe(2)
  expect(around.notes[0]).toMatch(/^kubeconfig-invalid: /)
  expect(around.notes[0]).toContain(`${path}: there is no such file`)
})

test('lines of the log are safe to print', () => {
  const around = place()
  logTo(around)('fetching \u001b[31mred\u001b]0;title\u0007 \u202eback\nnext')
  expect(around.notes).toEqual(['fetching red back next'])
})
