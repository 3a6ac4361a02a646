import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startApi } from '#api/server.ts'
import { digestOf } from '#lib/digest.ts'
import { environmentItself } from '#model/probe-state.ts'
import { saveProbeStates } from '#store/probe-states.ts'
import { approvalsOf, saveModuleOutcome, updateRun } from '#store/runs.ts'
import { saveVerification } from '#store/statuses.ts'
import { openApiPlace } from '../../test/api-place.ts'
import type { ApiPlace } from '../../test/api-place.ts'
import { jsonOf, leaves, wholeCommand } from '../../test/generate-cli-page.ts'
import { offlineCommands } from '../offline.ts'
import { versionOption } from '../version-option.ts'
import { runCommandLine } from './program.ts'
import type { Surroundings } from './surroundings.ts'

let place: ApiPlace
let url: string
let stopApi: () => Promise<void>
const home = mkdtempSync(join(tmpdir(), 'plumbline-cli-'))
const dir = join(home, '.plumb')

beforeAll(async () => {
  place = await openApiPlace()
  const api = await startApi({ parts: place.parts, store: place.store, host: '127.0.0.1', port: 0, stopping: place.stopping.signal })
  ;({ url } = api)
  stopApi = api.stop
  mkdirSync(dir)
  writeFileSync(join(dir, 'server.json'), JSON.stringify({ url }))
  writeFileSync(join(dir, 'token'), await place.token('root', 'admin'))
  writeFileSync(join(home, 'viewer'), `${await place.token('viewer', [{ role: 'viewer', environments: ['staging'] }])}\n`)
})
afterAll(async () => {
  await stopApi()
  await place.stop()
  rmSync(home, { recursive: true, force: true })
})

async function plumb(args: readonly string[], around: Partial<Surroundings> = {}): Promise<{ code: number; out: string; notes: string }> {
  const out: string[] = []
  const notes: string[] = []
  const surroundings: Surroundings = {
    print: (line) => out.push(line), note: (line) => notes.push(line), colours: false, width: 120, cwd: home, env: {}, now: () => place.clock.now(),
    readFile: (path) => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
    ...around,
  }
  const code = await runCommandLine(args, surroundings, [versionOption, offlineCommands({ PATH: '/nonexistent' })])
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

describe('finding the control plane', () => {
  test('in the folder, by its flag, and by the environment', async () => {
    expect((await plumb(['status'])).out).toContain('sandbox')
    expect((await plumb(['status', '--dir', dir], { cwd: '/' })).out).toContain('sandbox')
    expect((await plumb(['status'], { cwd: '/', env: { dir } })).out).toContain('sandbox')
    expect((await plumb(['status', '--server', url, '--token-file', join(dir, 'token')], { cwd: '/' })).out).toContain('sandbox')
    expect((await plumb(['status'], { cwd: '/', env: { server: url, token: readFileSync(join(dir, 'token'), 'utf8') } })).out).toContain('sandbox')
  })

  test('what is typed goes before the environment, and the environment before the folder', async () => {
    expect((await plumb(['status', '--server', url], { env: { server: 'http://127.0.0.1:9' } })).out).toContain('sandbox')
    expect((await plumb(['status'], { env: { token: 'x'.repeat(43) } })).notes).toContain('unauthenticated')
    expect((await plumb(['status', '--token-file', 'viewer'], { env: { token: 'x'.repeat(43) } })).out).not.toContain('production')
  })

  test('none runs: said plainly, with what to do', async () => {
    expect(await plumb(['status'], { cwd: '/' })).toEqual({
      code: 4, out: '',
      notes: 'server-not-running: /.plumb: no control plane runs there\n  Start one with `plumb playground` or `plumb up`, or name another with --dir or --server.',
    })
    writeFileSync(join(home, 'server.json'), JSON.stringify({ url: 'http://127.0.0.1:1' }))
    writeFileSync(join(home, 'token'), 'x')
    expect(await plumb(['status', '--dir', home])).toMatchObject({ code: 4, notes: expect.stringContaining('no control plane runs there\n  Start it with') as string })
    writeFileSync(join(home, 'server.json'), '{ broken')
    expect((await plumb(['status', '--dir', home])).notes).toContain('no control plane runs there')
  })

  test('what answers there is something else', async () => {
    const other = createServer((_, answer) => answer.end('<html>')).listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const told = await plumb(['status', '--server', `http://127.0.0.1:${port}`, '--token-file', 'viewer'])
    other.close()
    expect(told).toMatchObject({ code: 4, notes: expect.stringContaining('is no Plumbline') as string })
  })

  test('an address that is none', async () => {
    expect((await plumb(['status', '--server', 'nonsense'])).code).toBe(2)
  })

  test('no token', async () => {
    expect(await plumb(['status', '--server', url], { cwd: '/' })).toMatchObject({ code: 2, notes: expect.stringContaining('token-missing') as string })
    expect((await plumb(['status', '--token-file', 'nowhere'])).code).toBe(2)
  })

  test('the folder’s token goes to no other address than the folder’s', async () => {
    const heard: unknown[] = []
    const other = createServer((request, answer) => answer.end(heard.push(request.headers.authorization))).listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const told = [await plumb(['status', '--server', elsewhere]), await plumb(['status'], { env: { server: elsewhere } }), await plumb(['status', '--server', elsewhere, '--dir', '/nowhere'])]
    other.close()
    for (const one of told) expect(one).toMatchObject({ code: 2, notes: expect.stringContaining('token-missing') as string })
    expect(heard).toEqual([])
  })

  test('what answers with a way elsewhere is not followed, with a token least of all', async () => {
    const heard: unknown[] = []
    const answering = async (answer: (address: string | undefined) => string | undefined): Promise<string> => {
      const other = createServer((request, response) => {
        heard.push(request.headers.authorization)
        const to = answer(request.url)
        response.writeHead(to === undefined ? 200 : 307, to === undefined ? {} : { location: to }).end('{}')
      }).listen(0, '127.0.0.1')
      onTestFinished(() => void other.close())
      await new Promise((resolve) => other.once('listening', resolve))
      return `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    }
    const elsewhere = await answering(() => undefined)
    const server = await answering((path) => `${elsewhere}${path}`)
    for (const words of [['status'], ['pause', '-e', 'staging', '--reason', 'why']])
      expect(await plumb([...words, '--server', server, '--token-file', 'viewer'])).toMatchObject({ code: 4, out: '', notes: expect.stringContaining('server-not-running') as string })
    expect(heard).toHaveLength(2)
  })

  test.each(['http://192.0.2.2:18999', 'http://plumb.example', 'http://127.0.0.1.example'])('no token goes in the clear to %s', async (far) => {
    for (const told of [await plumb(['status', '--server', far, '--token-file', 'viewer']), await plumb(['status', '--server', far], { env: { token: 'x'.repeat(43) } })])
      expect(told).toMatchObject({ code: 2, notes: expect.stringContaining('token-in-clear') as string })
  })
})

describe('exit codes', () => {
  test.each<[number, string[]]>([
    [0, ['--help']],
    [0, ['status', '--help']],
    [0, ['runs', '-e', 'sandbox']],
    [1, ['show', 'run-of-nowhere']],
    [1, ['approve', 'run-of-staging', '--reason', 'why']],
    [1, ['pause', '-e', 'staging', '--reason', 'why', '--token-file', 'viewer']],
    [1, ['show', 'run-of-production', '--token-file', 'viewer']],
    [2, ['stauts']],
    [2, []],
    [2, ['status', '--nonsense']],
    [2, ['deploy']],
    [2, ['pause', '--reason', 'why']],
    [2, ['pause', '-e', 'staging']],
    [2, ['pause', '-e', 'staging', '--reason', 'why', '--for', 'ever']],
    [2, ['pause', '-e', 'nowhere', '--reason', 'why']],
    [2, ['status', '-e', 'stagin']],
    [2, ['runs', '-n', '0']],
    [2, ['token', 'create', 'x', '--role', 'emperor']],
    [2, ['token', 'create', 'X Y', '--role', 'viewer']],
    [2, ['record', 'verify', '/nowhere']],
    [2, ['record', 'verify', '--head', 'nonsense']],
    [2, ['validate', '/nowhere']],
    [2, ['render', '/nowhere']],
    [4, ['status']],
    [4, ['status', '--dir', '/nowhere']],
  ])('%i: plumb %j', async (code, args) => {
    expect((await plumb(args)).code).toBe(code)
  })

  test('the help tells durations as one types them', async () => {
    expect((await plumb(['pause', '--help'])).out).toContain('(default: 1h)')
    expect((await plumb(['approve', '--help'])).out).toContain('(default: 15m)')
  })

  test('a near miss is named', async () => {
    expect((await plumb(['status', '-e', 'stagin'])).notes).toContain('Did you mean “staging”?')
    expect((await plumb(['stauts'])).notes).toContain('Did you mean status?')
    expect(await plumb(['drift', 'shwo', 'f-1'])).toEqual({ code: 2, out: '', notes: 'usage: plumb drift: it has no command “shwo”\n  Did you mean “show”?' })
    expect(await plumb(['drift', 'nonsense'])).toMatchObject({ code: 2, notes: expect.stringMatching(/“nonsense”\n {2}It has: .*show/) as string })
    // What stands by itself is no command of another one.
    expect(await plumb(['drift', 'revert', 'f-1'])).toMatchObject({ code: 2, notes: 'usage: plumb drift: it has no command “revert”\n  Did you mean “plumb revert f-1”?' })
  })

  test.each<[string, string[]]>([
    ['plumb', ['stauts']],
    ['plumb approve', ['approve', 'latest']],
    ['plumb token create', ['token', 'create', 'x']],
  ])('wrong usage points at the help of %s', async (command, args) => {
    expect((await plumb(args)).notes).toContain(`(see ${command} --help)`)
  })
})

describe('--json', () => {
  const json = async (...args: string[]): Promise<unknown> => JSON.parse((await plumb([...args, '--json'])).out)

  test('is documented for every command', () => {
    expect(leaves(wholeCommand()).map(({ name }) => name).sort()).toEqual(Object.keys(jsonOf).sort())
    expect(leaves(wholeCommand()).filter(({ command }) => !command.options.some((option) => option.long === '--json')).map(({ name }) => name)).toEqual([])
  })

  test('has the shapes that are documented', async () => {
    expect(await json('status')).toMatchObject({ environments: [{ name: 'sandbox', modules: [{ name: 'shop', track: 'declarative', delivery: 'behind', verification: 'unknown', run: null, snapshot: null }] }, {}, {}] })
    expect(await json('status', '-e', 'staging')).toMatchObject({ environments: [{ name: 'staging' }] })
    const [first] = ((await json('runs')) as { runs: object[] }).runs
    expect(Object.keys(first ?? {})).toEqual(expect.arrayContaining(['id', 'environment', 'state', 'actor', 'reason', 'snapshot', 'plan', 'steps', 'probes', 'record']))
    expect(await json('show', 'latest', '-e', 'staging')).toMatchObject({ id: 'run-of-staging' })
    expect(await json('pause', '-e', 'staging', '--reason', 'why')).toEqual({ done: true })
    expect(await json('resume', '-e', 'staging')).toEqual({ done: true })
    expect(await json('resume', '-e', 'staging')).toEqual({ done: false })
    expect(await json('token', 'create', 'sam', '--role', 'viewer', '-e', 'staging', '-e', 'sand*', '--for', '2h')).toMatchObject({ name: 'sam', token: expect.any(String) as string, grants: [{ role: 'viewer', environments: ['staging', 'sand*'] }] })
    expect(await json('token', 'list')).toMatchObject({ principals: expect.arrayContaining([expect.objectContaining({ name: 'sam' })]) as object })
    expect(await json('token', 'revoke', 'sam')).toEqual({ done: true })
    expect(await json('record', 'verify')).toEqual({ ok: true, chains: [] })
    expect(await json('record', 'export', '--out', 'records')).toMatchObject({ files: [expect.stringContaining('public-key.pem') as string] })
  })

  test('a failure is JSON too, and nothing else is on standard output', async () => {
    for (const wrong of [['deploy'], ['stauts'], ['runs', '-n', '0']]) expect(await json(...wrong)).toMatchObject({ error: { code: 'usage', hint: expect.stringMatching(/plumb/) as string } })
    const told = await plumb(['show', 'nowhere', '--json'])
    expect(JSON.parse(told.out)).toMatchObject({ error: { code: 'run-unknown', subject: 'run nowhere', retry: 'never' } })
    expect(told.notes).toBe('')
  })
})

test('a token is alone on standard output, so that it can be written to a file', async () => {
  const { out, notes } = await plumb(['token', 'create', 'robot', '--role', 'developer', '-e', 'sandbox'])
  expect(out).toMatch(/^[\w-]{43}$/)
  expect(notes).toBe('A token for robot, shown this once. It may do all that robot may: developer in sandbox.')
})

test('an approval shows the plan that it is for, and is for that one', async () => {
  const digest = digestOf('a plan')
  const effect = { key: 'core/ConfigMap/shop/a', module: 'shop', action: 'deleted', changes: [], omit: [], force: false, holdsState: false } as const
  const step = { module: 'shop', track: 'declarative', driver: 'kubernetes', target: 'cluster', dependsOn: [], waves: [[effect]] }
  const gate = { code: 'deletion.mass', outcome: 'wait', waitingFor: 'approval', message: 'This deletes 1 object.' } as const
  await updateRun(place.store, 'run-of-sandbox', 'waiting', place.clock.now(), { plan: { environment: 'sandbox', snapshot: 'snapshot', steps: [step], unknown: [], digest }, planDigest: digest, waiting: [gate] })
  const { code, notes } = await plumb(['approve', 'run-of-sandbox', '--reason', 'why', '--no-wait'])
  expect(code).toBe(0)
  expect(notes).toContain(`Approving for sandbox: 1 deleted (plan ${digest})`)
  expect(notes).toMatch(/deleted +ConfigMap shop\/a\n.*This deletes 1 object/)
  expect(await approvalsOf(place.store, 'run-of-sandbox')).toMatchObject([{ principal: 'root', planDigest: digest }])
  // `latest` is the newest that waits for it, whatever is newer: not the runs of staging and production.
  expect(await plumb(['approve', 'latest', '--reason', 'once more', '--no-wait'])).toMatchObject({ code: 0, notes: expect.stringContaining('Approving for sandbox') })
  expect(await plumb(['approve', 'latest', '-e', 'staging', '--reason', 'why'])).toEqual({ code: 1, out: '', notes: 'run-not-waiting: run latest: no run in staging waits for an approval\n  List them: plumb runs' })
})

test('what does not wait is not shown as a plan to approve: the refusal says how it stands', async () => {
  const plan = { environment: 'production', snapshot: 'snapshot', steps: [], unknown: [], digest: digestOf('a plan that was carried out') }
  await updateRun(place.store, 'run-of-production', 'succeeded', place.clock.now(), { plan, planDigest: plan.digest })
  const { code, notes } = await plumb(['approve', 'run-of-production', '--reason', 'why'])
  expect(code).toBe(1)
  expect(notes).toBe('run-ended: run run-of-production: it has ended: succeeded\n  See its record: plumb show run-of-production')
  expect(await plumb(['cancel', 'latest', '-e', 'production', '--reason', 'why'])).toEqual({ code: 1, out: '', notes: 'run-ended: run latest: every run in production has ended, if there was one\n  List them: plumb runs' })
})

test('status says why what was verified is stale: of a module, of what a run is at work on, and of an environment itself', async () => {
  const { store, clock } = place
  const [now, at] = [clock.now(), new Date(clock.now() - 5_000).toISOString()]
  const verified = { module: 'shop', verification: 'passed', verifiedSince: now, verifiedAt: now - 5_000, began: now } as const
  await saveVerification(store, { ...verified, environment: 'sandbox', staleAt: null }, now)
  await updateRun(store, 'run-of-sandbox', 'verifying', now)
  await saveModuleOutcome(store, 'run-of-sandbox', { module: 'shop', delivery: 'delivered', verification: 'pending', readinessOnly: false }, [], now)
  await saveVerification(store, { ...verified, environment: 'staging', staleAt: now - 1_000 }, now)
  await saveProbeStates(store, [{ environment: 'production', module: environmentItself, probe: 'entrance', kind: 'http', verdict: 'passed', onset: 0, askedAt: now - 3_600_000, lastBefore: null, causes: [], flips: [], sample: null }])
  const { out } = await plumb(['status'], { width: Infinity })
  expect(out).toContain('    stale: run-of-sandbox is at work on it and has not verified it yet\n')
  expect(out).toContain(`    stale: the last look, at ${at}, counted until ${new Date(now - 1_000).toISOString()}, and nobody has looked again\n`)
  expect(out).toMatch(/production {2}itself stale\n {4}stale: the last look, at .*, counted until .*, and nobody has looked again\n/)
})

test('--version tells this package’s and Node’s', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  expect(await plumb(['--version'])).toEqual({ code: 0, out: `plumb ${version} (Node ${process.versions.node})`, notes: '' })
})
