import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { deployments, ingresses, namespaces, pods, replicaSets } from './controllers/kinds.ts'
import { kubeconfigOf } from './kubeconfig.ts'

const run = promisify(execFile)
const hasKubectl = await run('kubectl', ['version', '--client']).then(
  () => true,
  () => false,
)
const image = 'registry.shop.example/tools/echo'
const manifests = (tag: string, extra: object = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo', namespace: 'shop' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'echo' } },
        template: {
          metadata: { labels: { app: 'echo' } },
          spec: {
            terminationGracePeriodSeconds: 2,
            containers: [{ name: 'echo', image: `${image}:${tag}`, ports: [{ name: 'http', containerPort: 8080 }], readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 1 } }],
          },
        },
        ...extra,
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'echo', namespace: 'shop' }, spec: { selector: { app: 'echo' }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'echo', namespace: 'shop' },
      spec: { rules: [{ host: 'echo.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'echo', port: { name: 'http' } } } }] } }] },
    },
  ] })

describe.skipIf(!hasKubectl)('a cluster, by kubectl (skipped where kubectl is not installed)', () => {
  let dir: string
  let cluster: Cluster
  const log: string[] = []
  const start = async (): Promise<void> => {
    cluster = await startCluster({ name: 'test', dir, compileCache: join(dir, 'compiled'), clock: systemClock, log: (line) => void log.push(line), places: cluster?.places ?? { apiPort: 0, ingressPort: 0 } })
    writeFileSync(join(dir, 'kubeconfig'), kubeconfigOf([cluster]), { mode: 0o600 })
  }
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const running = run('kubectl', ['--kubeconfig', join(dir, 'kubeconfig'), '--cache-dir', join(dir, 'cache'), ...args], { env: { PATH: process.env['PATH'], HOME: dir } })
    if (input !== undefined) running.child.stdin?.end(input)
    return (await running).stdout
  }
  const apply = (tag: string, extra: object = {}): Promise<string> => kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], manifests(tag, extra))
  const ask = (path: string): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(cluster.ingressUrl)
      const asked = request({ hostname, port, path, headers: { host: 'echo.example' }, agent: false }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      asked.on('error', reject).end()
    })
  const until = async (what: () => boolean): Promise<void> => {
    const end = Date.now() + 15_000
    while (!what()) {
      if (Date.now() > end) throw new Error(`not within 15 s: ${what.toString()}\n${log.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-cluster-'))
    await start()
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  test('what is applied runs, and answers through Service and Ingress', async () => {
    await apply('1.0.0')
    await kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/echo', '--timeout=20s'])
    const answers = [await ask('/hello'), await ask('/hello')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(new Set(answers.map(({ body }) => (JSON.parse(body) as { pod: string }).pod)).size).toBe(2)
    const ip = (await kubectl(['-n', 'shop', 'get', 'service', 'echo', '-o', 'jsonpath={.spec.clusterIP}'])).trim()
    expect(await (await fetch(`http://${ip}:8080/through`)).json()).toMatchObject({ path: '/through' })
    expect(await kubectl(['-n', 'shop', 'logs', 'deployment/echo'])).toContain('listens on 127.')
    expect(cluster.objects.get(ingresses, 'shop', 'echo')?.status?.loadBalancer?.ingress).toMatchObject([{ ip: '127.0.0.1' }])
  })

  test('a rollout replaces the pods without a failed request, and can be undone', async () => {
    const over = new AbortController()
    const seen: number[] = []
    const asker = (async () => {
      while (!over.signal.aborted) seen.push(await ask('/').then(({ status }) => status, () => 0))
    })()
    await apply('1.1.0')
    await kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/echo', '--timeout=20s'])
    over.abort()
    await asker
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter((status) => status !== 200)).toEqual([])
    expect(JSON.parse((await ask('/')).body)).toMatchObject({ version: '1.1.0' })
    await kubectl(['-n', 'shop', 'rollout', 'undo', 'deployment/echo'])
    await kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/echo', '--timeout=20s'])
    expect(JSON.parse((await ask('/')).body)).toMatchObject({ version: '1.0.0' })
    expect(cluster.objects.list(replicaSets, 'shop')).toHaveLength(2)
  })

  test('a broken image does not take away what works, and passes its deadline', async () => {
    await apply('9.9.9', { progressDeadlineSeconds: 1 })
    await until(() => cluster.objects.get(deployments, 'shop', 'echo')?.status?.conditions?.some(({ reason }) => reason === 'ProgressDeadlineExceeded') === true)
    expect((await ask('/')).status).toBe(200)
    await apply('1.0.0')
    await kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/echo', '--timeout=20s'])
  })

  test('a restart brings everything back, at the same addresses', async () => {
    const before = cluster.places
    const ip = (await kubectl(['-n', 'shop', 'get', 'service', 'echo', '-o', 'jsonpath={.spec.clusterIP}'])).trim()
    await cluster.stop()
    await expect(ask('/')).rejects.toThrow('ECONNREFUSED')
    await start()
    expect(cluster.places).toEqual(before)
    await until(() => cluster.objects.get(deployments, 'shop', 'echo')?.status?.availableReplicas === 2)
    expect((await fetch(`http://${ip}:8080/`)).status).toBe(200)
    expect((await ask('/')).status).toBe(200)
  })

  test('Jobs end, and StatefulSets and DaemonSets roll out, with claims that are bound', async () => {
    const metadata = (name: string): object => ({ name, namespace: 'default' })
    const labels = { app: 'other' }
    const spec = (tag: string): object => ({ terminationGracePeriodSeconds: 2, containers: [{ name: 'main', image: `${image}:${tag}`, volumeMounts: [] }] })
    const items = (tag: string): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'List',
        items: [
          { apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('good'), spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.shop.example/tools/task:1.0.0' }] } } } },
          { apiVersion: 'batch/v1', kind: 'Job', metadata: metadata('bad'), spec: { backoffLimit: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'registry.shop.example/tools/task:broken' }] } } } },
          { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: metadata('agent'), spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: spec(tag) } } },
          {
            apiVersion: 'apps/v1',
            kind: 'StatefulSet',
            metadata: metadata('db'),
            spec: {
              replicas: 2,
              serviceName: 'db',
              selector: { matchLabels: { app: 'db' } },
              template: { metadata: { labels: { app: 'db' } }, spec: spec(tag) },
              volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
            },
          },
        ],
      })
    for (const tag of ['1.0.0', '1.1.0']) {
      await kubectl(['apply', '--server-side', '-f', '-'], items(tag))
      await kubectl(['rollout', 'status', 'statefulset/db', '--timeout=20s'])
      await kubectl(['rollout', 'status', 'daemonset/agent', '--timeout=20s'])
      expect((await kubectl(['get', 'pods', '-l', 'app in (db,other)', '-o', 'jsonpath={.items[*].spec.containers[*].image}'])).split(' ').filter((used) => used !== `${image}:${tag}`)).toEqual([])
    }
    await kubectl(['wait', '--for=condition=complete', 'job/good', '--timeout=20s'])
    await kubectl(['wait', '--for=condition=failed', 'job/bad', '--timeout=20s'])
    expect(await kubectl(['get', 'pvc', '-o', 'jsonpath={.items[*].status.phase}'])).toBe('Bound Bound')
    await kubectl(['delete', 'jobs,statefulsets,daemonsets,pvc', '--all', '--timeout=20s'])
    await until(() => cluster.objects.list(pods, 'default').length === 0)
  })

  test('a deleted Deployment takes its pods along, and a deleted namespace everything', async () => {
    await kubectl(['-n', 'shop', 'delete', 'deployment', 'echo', '--cascade=foreground', '--timeout=20s'])
    expect(cluster.objects.list(pods, 'shop')).toEqual([])
    expect((await ask('/')).status).toBe(503)
    await kubectl(['delete', 'namespace', 'shop', '--timeout=20s'])
    expect(cluster.objects.get(namespaces, '', 'shop')).toBeUndefined()
    expect((await ask('/')).status).toBe(404)
  })

  test('nothing was told that should not have happened', () => {
    expect(log).toEqual([])
  })
})
