import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { OtlpExporter } from '#clients/otlp/exporter.ts'
import { FakeClock } from '#lib/clock.ts'
import { tracesOf } from '../../up-command.ts'
import { eventually } from '../../../test/eventually.ts'
import { Tracer } from './tracer.ts'

type Sent = { traceId: string; spanId: string; parentSpanId?: string; name: string; kind: number; startTimeUnixNano: string; endTimeUnixNano: string; attributes: { key: string; value: { stringValue: string } }[]; status: { code?: number; message?: string } }

async function collected(work: (tracer: Tracer, clock: FakeClock) => Promise<void>, status = 200): Promise<{ spans: Sent[]; headers: Record<string, unknown>; path: string | undefined; lines: string[] }> {
  const spans: Sent[] = []
  const lines: string[] = []
  let headers: Record<string, unknown> = {}
  let path: string | undefined
  const receiver = createServer((request, response) => {
    let text = ''
    ;[headers, path] = [request.headers, request.url]
    request.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => {
      const body = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Sent[] }[] }[] }
      spans.push(...body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(status).end('{}')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const clock = new FakeClock(1_000)
  const { traces } = tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x' })
  if (traces === undefined) throw new Error('no endpoint')
  const exporter = new OtlpExporter({ endpoint: traces, clock, log: (line) => lines.push(line) })
  await work(new Tracer({ clock, redact: (text) => text.replaceAll('hunter2', '…'), send: (span) => exporter.add(span) }), clock)
  await exporter.stop()
  receiver.close()
  return { spans, headers, path, lines }
}

test('a run is one trace, however often it is taken up; its steps are under it, with times and what they say', async () => {
  const { spans, headers, path } = await collected(async (tracer, clock) => {
    await tracer.attempt('run-1', () => tracer.span('gate', { environment: 'production' }, async () => clock.advance(5), () => ({ attributes: { outcome: 'wait' } })))
    await tracer.attempt('run-1', () => tracer.span('deliver', {}, () => tracer.span('apply', { object: 'apps/Deployment/shop/web' }, async () => {}, () => ({ failure: 'password hunter2' }))))
    tracer.whole('run-1', 500, 2_000, { state: 'failed' }, 'not-ready: web')
  })
  expect([headers['content-type'], headers['authorization'], path]).toEqual(['application/json', 'Bearer x', '/v1/traces'])
  const byId = new Map(spans.map((span) => [span.spanId, span.name]))
  expect(spans.map(({ name, parentSpanId }) => `${parentSpanId === undefined ? '' : byId.get(parentSpanId)} > ${name}`)).toEqual(['attempt > gate', 'run > attempt', 'deliver > apply', 'attempt > deliver', 'run > attempt', ' > run'])
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
  for (const span of spans) expect([span.traceId, span.spanId].join(' ')).toMatch(/^[0-9a-f]{32} [0-9a-f]{16}$/)
  expect(spans[0]).toMatchObject({ kind: 1, startTimeUnixNano: '1000000000', endTimeUnixNano: '1005000000', status: {}, attributes: [{ key: 'plumbline.environment', value: { stringValue: 'production' } }, { key: 'plumbline.outcome', value: { stringValue: 'wait' } }] })
  expect(spans[2]?.status).toEqual({ code: 2, message: 'password …' })
  expect(spans.at(-1)).toMatchObject({ startTimeUnixNano: '500000000', endTimeUnixNano: '2000000000', status: { code: 2 } })
})

test('what a step throws is thrown on, and told', async () => {
  const { spans } = await collected((tracer) => expect(tracer.attempt('run-1', () => tracer.span('plan', {}, () => Promise.reject(new Error('hunter2'))))).rejects.toThrow('hunter2'))
  expect(spans.map(({ name, status }) => `${name}: ${status.code}`)).toEqual(['plan: 2', 'attempt: 2'])
  expect(JSON.stringify(spans)).not.toContain('hunter2')
})

test('what is no part of a run has no trace, and a collector that does not take spans is told of once', async () => {
  const { spans, lines } = await collected(async (tracer) => {
    expect(await tracer.span('probe', {}, () => Promise.resolve(3))).toBe(3)
    await tracer.attempt('run-1', async () => {})
  }, 503)
  expect(spans.map(({ name }) => name)).toEqual(['attempt'])
  expect(lines).toEqual([expect.stringMatching(/^traces are lost: 127\.0\.0\.1:\d+: it answered 503$/)])
})

test('a collector that is silent holds nobody up who stops', async () => {
  let asked = 0
  const receiver = createServer(() => (asked += 1))
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const [clock, lines] = [new FakeClock(), [] as string[]]
  const exporter = new OtlpExporter({ endpoint: { url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/v1/traces`, headers: {} }, clock, log: (line) => lines.push(line) })
  for (let span = 0; span < 1_500; span += 1) exporter.add({ traceId: '0', spanId: '0', name: 'x', from: 0, to: 1, attributes: {} })
  const stopped = exporter.stop()
  await eventually(() => asked === 1)
  clock.advance(3_000)
  await stopped
  expect(asked).toBe(1)
  expect(lines).toEqual([expect.stringMatching(/^traces are lost: .*: it did not take 988 spans or more within 3 s$/)])
  receiver.closeAllConnections()
  receiver.close()
})

test.each([[{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }], [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_HEADERS: 'nothing' }]])('%o is refused', (env) => {
  expect(() => tracesOf(env)).toThrow('cannot be read')
})
