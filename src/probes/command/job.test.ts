import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesClient } from '#clients/kubernetes/client.ts'
import { openKubernetes } from '#clients/kubernetes/open.ts'
import { openCel } from '#lib/cel.ts'
import { systemClock } from '#lib/clock.ts'
import type { JsonObject } from '#lib/json.ts'
import { until } from '#lib/until.ts'
import type { Sample } from '#model/probe.ts'
import { startCluster } from '#playground/cluster.ts'
import type { Cluster } from '#playground/cluster.ts'
import { jobs, pods } from '#playground/controllers/kinds.ts'
import { kubeconfigOf } from '#playground/kubeconfig.ts'
import { eventually } from '../../../test/eventually.ts'
import { canary, conformance, slowMs } from '../conformance.ts'
import { command } from './command.ts'
import { jobManifest, jobName, probeLabel } from './job-manifest.ts'

// A cluster whose pods are processes: Jobs really run, and really write.
const dir = mkdtempSync(join(tmpdir(), 'plumbline-jobs-'))
const namespace = 'plumbline-probes'
const cel = openCel({ timeoutMs: 1_000 })
let cluster: Cluster
let client: KubernetesClient
/** Of whom the cluster lets do nothing. */
let nobody: KubernetesClient
const never = new AbortController().signal
const write = async (body: JsonObject): Promise<void> => {
  const kind = await client.kind(String(body['apiVersion']), String(body['kind']), never)
  if (kind === undefined) throw new Error('not served')
  await client.apply(kind, body, { manager: 'test', force: true, dryRun: false }, never)
}
beforeAll(async () => {
  cluster = await startCluster({ name: 'test', dir: join(dir, 'cluster'), compileCache: join(dir, 'compiled'), clock: systemClock, log: () => {}, places: { apiPort: 0, ingressPort: 0 } })
  writeFileSync(join(dir, 'kubeconfig'), kubeconfigOf([cluster]), { mode: 0o600 })
  client = await openKubernetes({ kubeconfig: join(dir, 'kubeconfig'), context: 'test', clock: systemClock })
  writeFileSync(join(dir, 'nobody'), JSON.stringify(kubeconfigOfNobody()), { mode: 0o600 })
  nobody = await openKubernetes({ kubeconfig: join(dir, 'nobody'), context: 'nobody', clock: systemClock })
  await write({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await write({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'probe', namespace } })
})
afterAll(async () => {
  await cel.close()
  await nobody?.close()
  await client?.close()
  await cluster?.stop()
  rmSync(dir, { recursive: true, force: true })
})

/** The administrator, as somebody else. */
function kubeconfigOfNobody(): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: cluster.api.url, 'certificate-authority-data': Buffer.from(cluster.api.ca).toString('base64') } }],
    users: [{ name: 'nobody', user: { token: cluster.api.adminToken, as: 'nobody@shop.example' } }],
    contexts: [{ name: 'nobody', context: { cluster: 'test', user: 'nobody' } }],
  }
}

const image = 'registry.shop.example/tools/task:1.0.0'
const place = () => ({ client, namespace, serviceAccount: 'probe', owner: 'production/orders' })
const clients = { jobs: async () => place(), hostProgram: async () => Promise.reject(new Error('no host here')), cel: cel.evaluate }
const configOf = (env: Readonly<Record<string, string>>, more: object = {}): object => ({ target: 'cluster', image, env, ...more })
const ask = (env: Readonly<Record<string, string>>, more: object = {}, ms = 20_000): Promise<Sample> => command.sample({ clients, clock: systemClock, signal: AbortSignal.timeout(ms) }, command.schema.parse(configOf(env, more)))
const nothingLeft = (): Promise<boolean> => eventually(() => cluster.objects.list(jobs).length === 0 && cluster.objects.list(pods).length === 0)

conformance(command, async () => ({
  passing: { clients, config: configOf({ MESSAGE: `{"secret":"${canary}"}` }, { cel: 'output.secret != ""' }) },
  failing: { clients, config: configOf({ MESSAGE: canary, EXIT_CODE: '3' }) },
  hanging: { clients, config: configOf({ MESSAGE: canary, TASK_MS: '60000' }) },
  refusing: { clients: { ...clients, jobs: async () => ({ ...place(), client: nobody }) }, config: configOf({}) },
  lying: { clients, config: configOf({ MESSAGE: `{"secret":"${canary}"}` }, { cel: 'output.secret == "another"' }) },
  slow: { clients, config: configOf({ MESSAGE: canary, TASK_MS: String(slowMs) }) },
  stop: async () => {},
}))

describe('the command probe, as a Job', () => {
  test('runs as the service account of the place, and leaves nothing behind', async () => {
    const seen: JsonObject[] = []
    const watching = { ...place(), client: { ...client, apply: async (...call: Parameters<KubernetesClient['apply']>) => (seen.push(call[1]), client.apply(...call)) } }
    const sample = await command.sample({ clients: { ...clients, jobs: async () => watching }, clock: systemClock, signal: AbortSignal.timeout(20_000) }, command.schema.parse(configOf({ MESSAGE: '{"lag": 3}' }, { cel: 'output.lag < 10', argv: ['task', '--deep'] })))
    expect(sample).toMatchObject({ signal: 'boolean', verdict: 'passed', value: true, target: `task of ${image} in cluster`, threshold: 'exit = 0, output.lag < 10', message: 'what it wrote is as the expression says' })
    expect(seen).toMatchObject([{ metadata: { namespace, labels: { 'app.kubernetes.io/managed-by': 'plumbline' } }, spec: { backoffLimit: 0, template: { spec: { serviceAccountName: 'probe', containers: [{ command: ['task', '--deep'] }] } } } }])
    await nothingLeft()
  })

  test('goes by the exit code, and by the JSON of the log', async () => {
    expect(await ask({ EXIT_CODE: '3' })).toMatchObject({ verdict: 'failed', message: 'exited with 3, expected 0' })
    expect(await ask({ MESSAGE: '{"lag": 47}' }, { cel: 'output.lag < 10' })).toMatchObject({ verdict: 'failed', message: 'what it wrote is not as the expression says' })
    expect(await ask({ MESSAGE: 'fine' }, { cel: 'output.lag < 10' })).toMatchObject({ verdict: 'failed', message: 'exited with 0, and wrote no JSON' })
  })

  test('fails where it hangs once it runs, and is removed then', async () => {
    const sample = await ask({ TASK_MS: '60000' }, {}, 3_000)
    expect(sample).toMatchObject({ verdict: 'failed', message: expect.stringMatching(/^command: timed out after/) })
    await nothingLeft()
  })

  test('removes what was being created when it was stopped', async () => {
    const stopping = new AbortController()
    const apply: KubernetesClient['apply'] = async (kind, body, how, signal) => {
      const answer = client.apply(kind, body, how, never)
      await eventually(() => cluster.objects.list(jobs).length === 1)
      stopping.abort(new Error('the server stops'))
      return until(answer, signal)
    }
    const late = { ...clients, jobs: async () => ({ ...place(), client: { ...client, apply } }) }
    expect(await command.sample({ clients: late, clock: systemClock, signal: stopping.signal }, command.schema.parse(configOf({ TASK_MS: '60000' })))).toMatchObject({ verdict: 'unknown' })
    expect(await nothingLeft()).toBe(true)
  })

  test('does not know where it cannot be started', async () => {
    expect(await ask({}, { image: 'registry.shop.example/tools/nosuch:1' })).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/^the command could not be run: its container cannot be started \((ErrImagePull|ImagePullBackOff)\)$/) })
    const elsewhere = { ...clients, jobs: async () => ({ ...place(), namespace: 'nosuch' }) }
    expect(await command.sample({ clients: elsewhere, clock: systemClock, signal: AbortSignal.timeout(5_000) }, command.schema.parse(configOf({})))).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('nosuch') })
    await nothingLeft()
  })

  test('says what it may not do', async () => {
    const sample = await command.sample({ clients: { ...clients, jobs: async () => ({ ...place(), client: nobody }) }, clock: systemClock, signal: AbortSignal.timeout(5_000) }, command.schema.parse(configOf({})))
    expect(sample).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(/forbidden.*cannot get resource "jobs"/) })
  })

  test('waits for a Job of a crash that still runs, removes one that has ended, and touches none of others', async () => {
    const question = command.schema.parse(configOf({ TASK_MS: '1000' }))
    const left = jobManifest(place(), question)
    await write(left)
    expect(await ask({ TASK_MS: '1000' })).toMatchObject({ verdict: 'passed' })
    await nothingLeft()
    const ended = command.schema.parse(configOf({ EXIT_CODE: '3' }))
    await write(jobManifest(place(), ended))
    await eventually(() => cluster.objects.list(jobs)[0]?.status?.conditions?.some(({ type }) => type === 'Failed'))
    expect(await ask({ EXIT_CODE: '3' })).toMatchObject({ verdict: 'failed' })
    await nothingLeft()
    const name = jobName(place(), question)
    await write({ ...left, metadata: { name, namespace, labels: { [probeLabel]: 'other' } } })
    expect(await ask({ TASK_MS: '1000' })).toMatchObject({ verdict: 'unknown', message: `there is a Job ${namespace}/${name} already, which is not a probe’s` })
    expect(cluster.objects.list(jobs)).toHaveLength(1)
  })

  test('of a step is left to itself when whoever asks is stopped, and tells how it ended whoever asks again; it is never made a second time', async () => {
    const ofStep = (begin: 'makes' | 'finds', owner: string) => ({ ...clients, jobs: async () => ({ ...place(), owner, step: { begin, timeoutMs: 1_800_000 } }) })
    const carryOut = (begin: 'makes' | 'finds', signal: AbortSignal, owner = 'production/run-1/restore') => command.sample({ clients: ofStep(begin, owner), clock: systemClock, signal }, command.schema.parse(configOf({ TASK_MS: '500' })))
    const before = cluster.objects.list(jobs).length
    const ours = () => cluster.objects.list(jobs).filter((job) => job.metadata.annotations?.['plumbline.dev/probe-of']?.startsWith('production/run-1/') === true)
    expect(await carryOut('finds', AbortSignal.timeout(5_000))).toMatchObject({ verdict: 'unknown', message: 'it was to be begun, and its Job is not there: whether it ran is not known' })
    const stopped = new AbortController()
    const first = carryOut('makes', stopped.signal)
    await eventually(() => ours().length === 1)
    stopped.abort(new Error('the server stops'))
    expect(await first).toMatchObject({ verdict: 'unknown', message: expect.stringContaining('was stopped before it was known') })
    expect(ours()).toMatchObject([{ spec: { activeDeadlineSeconds: 1_800, ttlSecondsAfterFinished: 3_600 } }])
    const [uid] = ours().map(({ metadata }) => metadata.uid)
    expect(await carryOut('finds', AbortSignal.timeout(20_000))).toMatchObject({ verdict: 'passed' })
    // Also when it has ended long since; and the same command of another step is another.
    expect(await carryOut('finds', AbortSignal.timeout(20_000))).toMatchObject({ verdict: 'passed' })
    expect(ours().map(({ metadata }) => metadata.uid)).toEqual([uid])
    expect(await carryOut('makes', AbortSignal.timeout(20_000), 'production/run-1/again')).toMatchObject({ verdict: 'passed' })
    expect(cluster.objects.list(jobs)).toHaveLength(before + 2)
  })
})
