import { request } from 'node:http'
import { connect } from 'node:net'
import type { Clock } from '#lib/clock.ts'
import type { Container, ProbeSpec } from '#playground/controllers/kinds.ts'
import type { Addresses } from '#playground/network/addresses.ts'

export type ProbeKind = 'Readiness' | 'Liveness' | 'Startup'

/** Asks once. `undefined` is a pass; else why not, in the kubelet's words. */
export type Ask = () => Promise<string | undefined>

/** How to ask what a probe says, or `undefined` where the playground cannot (exec, grpc). */
export function askOf(spec: ProbeSpec, container: Container, podIp: string, addresses: Addresses): Ask | undefined {
  const timeoutMs = (spec.timeoutSeconds ?? 1) * 1000
  const port = (wanted: number | string): number =>
    typeof wanted === 'number' ? wanted : (container.ports?.find(({ name }) => name === wanted)?.containerPort ?? Number(wanted))
  const { httpGet, tcpSocket } = spec
  if (httpGet !== undefined) {
    const number = port(httpGet.port)
    return async () => askHttp(await addresses.reach(httpGet.host ?? podIp, number), httpGet, `${podIp}:${number}`, timeoutMs)
  }
  if (tcpSocket !== undefined) {
    const number = port(tcpSocket.port)
    return async () => askTcp(await addresses.reach(tcpSocket.host ?? podIp, number), `${podIp}:${number}`, timeoutMs)
  }
  return undefined
}

type To = { readonly host: string; readonly port: number }

function askHttp({ host, port }: To, { path = '/', httpHeaders }: NonNullable<ProbeSpec['httpGet']>, shown: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const headers: Record<string, string> = { host: shown, 'user-agent': 'kube-probe/1.36', connection: 'close' }
    for (const { name, value } of httpHeaders ?? []) headers[name.toLowerCase()] = value
    const signal = AbortSignal.timeout(timeoutMs)
    const asked = request({ host, port, path: encodeURI(path), headers, agent: false, signal }, (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      resolve(status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`)
    })
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(`Get "http://${shown}${path}": ${signal.aborted ? 'context deadline exceeded' : told(error, shown)}`))
    asked.end()
  })
}

function askTcp({ host, port }: To, shown: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs }, () => {
      socket.destroy()
      resolve(undefined)
    })
    socket.on('timeout', () => {
      socket.destroy()
      resolve(`dial tcp ${shown}: i/o timeout`)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(told(error, shown)))
  })
}

function told(error: NodeJS.ErrnoException, shown: string): string {
  return error.code === 'ECONNREFUSED' ? `dial tcp ${shown}: connect: connection refused` : error.message
}

export type ProbeRun = {
  readonly spec: ProbeSpec
  readonly kind: ProbeKind
  readonly ask: Ask
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The verdict changed, thresholds counted. */
  readonly decided: (verdict: 'passing' | 'failing') => void
  /** One failure that counts. */
  readonly failed: (why: string) => void
}

const eagerMs = 60

/**
 * Probes until the signal ends it (a startup probe: until it passes), with Kubernetes' thresholds and periods. One difference: until the
 * first pass, readiness and startup are also asked between the periods, more and more slowly, and there only a pass counts; a program that
 * starts in 50 ms does not wait ten seconds to be seen.
 */
export async function runProbe({ spec, kind, ask, clock, signal, decided, failed }: ProbeRun): Promise<void> {
  const period = (spec.periodSeconds ?? 10) * 1000
  let passes = 0
  let failures = 0
  let verdict: 'passing' | 'failing' | undefined
  // Liveness is never asked before its program had time to listen: its failures cost a restart.
  await clock.sleep((spec.initialDelaySeconds ?? 0) * 1000 + (kind === 'Liveness' ? period : 0), signal)
  let eager = eagerMs
  let due = clock.now() + (kind === 'Liveness' ? 0 : period)
  for (;;) {
    const why = await ask()
    signal.throwIfAborted()
    const counts = clock.now() >= due || verdict !== undefined
    if (why === undefined) {
      passes += 1
      failures = 0
      if (passes >= (spec.successThreshold ?? 1) && verdict !== 'passing') decided((verdict = 'passing'))
      if (kind === 'Startup' && verdict === 'passing') return
    } else if (counts) {
      failed(why)
      failures += 1
      passes = 0
      if (failures >= (spec.failureThreshold ?? 3) && verdict !== 'failing') decided((verdict = 'failing'))
    }
    if (counts) due = clock.now() + period
    const isEager = verdict === undefined && kind !== 'Liveness'
    await clock.sleep(isEager ? Math.min(eager, Math.max(1, due - clock.now())) : period, signal)
    eager = Math.min(period, eager * 1.5)
  }
}
