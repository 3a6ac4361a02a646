import { describe, expect, test } from 'vitest'
import { FakeClock } from '#lib/clock.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Limits } from '#model/config/workspace.ts'
import type { Probe } from '#probes/probe.ts'
import { takeSample } from '#probes/sample.ts'
import type { ModuleIntent } from './render-run.ts'
import { verify } from './verify.ts'
import { Turns } from './turns.ts'
import type { Work } from './work.ts'

const limited = (...targets: string[]): Limits => ({ environments: ['*'], targets, namespaces: ['orders'], kinds: 'namespaced', secrets: [] })
const staging = environmentSchema({}).parse({
  apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'staging' },
  spec: { tier: 'staging', reach: ['orders-db'], targets: { 'orders-db': { postgres: { url: { secretRef: 'env:DB#url' } } } } },
})
const said = async (url: Promise<string>) => ({ verdict: 'passed', message: await url }) as const
const asking = () => ({ signal: 'boolean', target: 'it', phase: { name: 'answer', of: 'subject' } }) as const
const sql: Probe<never, 'sqlUrl'> = { kind: 'sql', needs: ['sqlUrl'], schema: undefined as never, sample: (call) => takeSample(call, { ...asking() }, () => said(call.clients.sqlUrl('orders-db'))) }
const tcp: Probe<never, never> = { kind: 'tcp', needs: [], schema: undefined as never, sample: (call) => takeSample(call, { ...asking() }, () => said(Promise.resolve('asked'))) }

async function asked(limits: Limits, kind: string, config: object = {}) {
  const parts = { clock: new FakeClock(), turns: new Turns(), probes: [sql, tcp], resolve: () => Promise.resolve([]), resolveSecret: () => Promise.resolve({ value: 'postgres://db' }) }
  const work = { run: { kind: 'verify', modules: {} }, parts, environment: staging, claim: { signal: new AbortController().signal } } as unknown as Work
  const intent = { name: 'orders', repository: 'orders', limits, probes: [{ owner: { name: 'orders', repository: 'orders', limits }, config: { name: 'it', kind, config, within: 0, every: 1000, timeout: 1000, across: [] } }] } as unknown as ModuleIntent
  const [result] = await verify(work, intent)
  return { verdict: result?.verdict, message: result?.samples[0]?.message }
}

describe('probes are bound by the limits of their repository', () => {
  test('a target that the environment lists has to be listed for the repository too', async () => {
    expect(await asked(limited('cluster'), 'sql')).toEqual({ verdict: 'unknown', message: 'probes of this repository may not ask the target orders-db' })
    expect(await asked(limited('orders-*'), 'sql')).toEqual({ verdict: 'passed', message: 'postgres://db' })
    expect(await asked('everything', 'sql')).toMatchObject({ verdict: 'passed' })
  })

  test('only a repository without limits says what it likes to a port', async () => {
    expect(await asked(limited('*'), 'tcp', { send: 'FLUSHALL' })).toEqual({ verdict: 'unknown', message: '`send` is for modules of repositories without limits: what is said to a system may change it' })
    expect(await asked(limited('*'), 'tcp')).toMatchObject({ verdict: 'passed' })
    expect(await asked('everything', 'tcp', { send: 'PING' })).toMatchObject({ verdict: 'passed' })
  })
})
