import { afterAll, describe, expect, test } from 'vitest'
import { openCel } from '#lib/cel.ts'
import { systemClock } from '#lib/clock.ts'
import type { Sample } from '#model/probe.ts'
import { command } from './command.ts'

const cel = openCel({ timeoutMs: 1_000 })
afterAll(() => cel.close())

async function run(script: string, config: object = {}, { ms = 5_000, env = {} } = {}): Promise<Sample> {
  const clients = { jobs: async () => Promise.reject(new Error('no cluster here')), hostProgram: async (_target: string, _run: string, args: readonly string[]) => ({ argv: ['/bin/sh', '-c', script, 'check', ...args] as const, env }), cel: cel.evaluate }
  return command.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, command.schema.parse({ target: 'runner', run: 'check', ...config }))
}

describe('the command probe, on a host', () => {
  test('goes by the exit code', async () => {
    expect(await run('exit 0')).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true, target: 'check on runner', threshold: 'exit = 0', message: 'exited with 0' })
    expect(await run('exit 3')).toMatchObject({ verdict: 'failed', value: false, message: 'exited with 3, expected 0' })
    expect(await run('exit 3', { exit: [0, 3] })).toMatchObject({ verdict: 'passed', threshold: 'exit = 0 or 3' })
  })

  test('holds the JSON that it writes against an expression', async () => {
    const rule = { cel: 'output.lag < 10 && exit == 0' }
    expect(await run(`echo '{"lag": 3}'`, rule)).toMatchObject({ verdict: 'passed', threshold: 'exit = 0, output.lag < 10 && exit == 0', message: 'what it wrote is as the expression says' })
    expect(await run(`echo looking; echo '{"lag": 47}'`, rule)).toMatchObject({ verdict: 'failed', message: 'what it wrote is not as the expression says' })
    expect(await run('echo fine', rule)).toMatchObject({ verdict: 'failed', message: 'exited with 0, and wrote no JSON' })
    expect(await run(`echo '{}'`, rule)).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('No such key: lag') })
  })

  test('gets its arguments as they are, without a shell, and no environment but its own', async () => {
    const rule = { arguments: ['a b', '$(id)', '; exit 1'], cel: 'output == ["a b", "$(id)", "; exit 1"]' }
    expect(await run(`printf '["%s","%s","%s"]' "$1" "$2" "$3"`, rule)).toMatchObject({ verdict: 'passed' })
    process.env['PLUMB_TEST_CANARY'] = 'canary'
    expect(await run('test -z "$PLUMB_TEST_CANARY" && test "$OWN" = yes', {}, { env: { OWN: 'yes' } })).toMatchObject({ verdict: 'passed' })
    delete process.env['PLUMB_TEST_CANARY']
  })

  test('ends when its time is over, and writes no more than it may', async () => {
    expect(await run('sleep 30', {}, { ms: 300 })).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^command: timed out after 0\.\d s$/) })
    expect(await run('yes')).toMatchObject({ verdict: 'unknown', message: '/bin/sh wrote more than 65536 bytes' })
    expect(await run('kill -SEGV $$')).toMatchObject({ verdict: 'unknown', message: '/bin/sh was ended by SIGSEGV' })
  })

  test('does not know what is not there', async () => {
    const clients = { jobs: async () => Promise.reject(new Error('no cluster here')), hostProgram: async () => ({ argv: ['/nosuch/program'] as const, env: {} }), cel: cel.evaluate }
    expect(await command.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(5_000) }, command.schema.parse({ target: 'runner', run: 'check' }))).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('is not installed') })
  })

  test('is asked for one thing, with what belongs to it', () => {
    const wrong = [{}, { run: 'a', image: 'b' }, { run: 'a', argv: ['b'] }, { run: 'a', env: { A: 'b' } }, { image: 'a', arguments: ['b'] }, { image: 'a', argv: [] }, { run: 'a', exit: 256 }, { run: 'a', cel: 'output.' }]
    expect(wrong.filter((config) => command.schema.safeParse({ target: 'runner', ...config }).success)).toEqual([])
  })
})
