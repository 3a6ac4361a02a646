import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signWebhook } from '#source/webhook.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

type Sent = { readonly headers: IncomingHttpHeaders; readonly text: string }
type Span = { traceId: string; spanId: string; parentSpanId?: string; name: string; attributes: { key: string; value: { stringValue: string } }[]; status: { code?: number } }

const probed = (value: string): string => moduleFile('web', `  probes:\n    - { name: there, within: 1s, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, cel: "object.data.a == '${value}'" } }\n`)

/** A receiver of webhooks, and of spans, that keeps what it is sent. */
const received = new Map<string, Sent[]>()
let receiver: Server
let shop: SmallShop
beforeAll(async () => {
  receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => {
      const path = request.url ?? ''
      received.set(path, [...(received.get(path) ?? []), { headers: request.headers, text }])
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  shop = await openSmallShop({
    env: { HOOK: 'the-signing-secret' },
    traces: { url: `${url}/v1/traces`, headers: {} },
    environment: `  targets: { cluster: { kubernetes: { context: dev } } }\n  notify: [{ name: ops, webhook: { url: "${url}/ops", secret: { secretRef: "env:HOOK" } } }]\n`,
    files: { 'web/module.yaml': probed('1'), 'web/manifests/web.yaml': configMap('web') },
  })
})
afterAll(async () => {
  await shop?.stop()
  receiver.close()
})

test('a delivery that does not verify is told once, counted by its two facts, and seen as one trace', { timeout: 60_000 }, async () => {
  await shop.until('the first is verified', async () => (await shop.module('web'))?.verification === 'passed')
  const run = await shop.settled(await shop.push({ 'web/module.yaml': probed('2') }, 'It should be 2'))
  expect(run).toMatchObject({ state: 'failed', steps: [{ delivery: 'delivered', verification: 'failed' }] })

  const told = await shop.until('people are told', () => ((received.get('/ops')?.length ?? 0) >= 1 ? received.get('/ops') : undefined))
  expect(told.map(({ text }) => (JSON.parse(text) as { event: string }).event)).toEqual(['verdict'])
  for (const { headers, text } of told) expect(headers['x-plumbline-signature-256']).toBe(signWebhook('the-signing-secret', text))

  const scrape = await fetch(`${shop.plane.url}/metrics`, { headers: { authorization: `Bearer ${shop.plane.token}` } })
  expect((await scrape.text()).split('\n')).toEqual(
    expect.arrayContaining([
      'plumbline_module_delivery{environment="dev",module="web",status="synced"} 1',
      'plumbline_module_verification{environment="dev",module="web",status="failed"} 1',
      'plumbline_deliveries_total{environment="dev",outcome="delivered"} 2',
      'plumbline_probe_verdict{environment="dev",module="web",probe="there",kind="kubernetes",verdict="failed"} 1',
    ]),
  )

  const spans = await shop.until('the whole of the run is sent', () => {
    const all = (received.get('/v1/traces') ?? []).flatMap(({ text }) => (JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
    const whole = all.find(({ name, attributes }) => name === 'run' && attributes.some(({ value }) => value.stringValue === run.id))
    return whole === undefined ? undefined : all.filter(({ traceId }) => traceId === whole.traceId)
  })
  const nameOf = new Map(spans.map(({ spanId, name }) => [spanId, name]))
  const tree = new Set(spans.map(({ name, parentSpanId }) => `${nameOf.get(parentSpanId ?? '') ?? ''} > ${name}`))
  expect([...tree]).toEqual(expect.arrayContaining([' > run', 'run > attempt', 'attempt > render', 'attempt > plan', 'attempt > gate', 'attempt > deliver', 'deliver > probe', 'attempt > record']))
  expect(spans.find(({ name }) => name === 'probe')?.status.code).toBe(2)
})
