import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { deploymentController } from '#playground/controllers/deployment.ts'
import { FakeObjects } from '#playground/controllers/fake-objects.ts'
import { versionInfo } from '#playground/api/version.ts'
import { claims, configMaps, deployments, events, nodes, pods, type Container, type Pod } from '#playground/controllers/kinds.ts'
import { replicaSetController } from '#playground/controllers/replica-set.ts'
import { typedObjects, type TypedObjects } from '#playground/controllers/typed-objects.ts'
import { claimAddresses, type Addresses } from '#playground/network/addresses.ts'
import { ImageRegistry } from './image-registry.ts'
import { startKubelet, type Kubelet } from './kubelet.ts'

const echo = 'registry.shop.example/tools/echo:1.0.0'
const task = 'registry.shop.example/tools/task:1.0.0'

describe('the kubelet', () => {
  let dir: string
  let objects: TypedObjects
  let addresses: Addresses
  let kubelet: Kubelet
  let stops: (() => void)[]
  const log: string[] = []

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-kubelet-'))
    objects = typedObjects(new FakeObjects(() => Date.now()))
    addresses = await claimAddresses()
    const context = { objects, clock: systemClock, log: (line: string) => void log.push(line), addresses, nodeName: 'playground', images: new ImageRegistry(), dir, compileCache: join(tmpdir(), 'plumb-test-compiled') }
    kubelet = startKubelet({ ...context, claimDir: (namespace, name) => join(dir, 'claims', namespace, name) })
    stops = [deploymentController(context), replicaSetController(context)]
  })

  afterEach(async () => {
    for (const stop of stops) stop()
    await kubelet.stop()
    await addresses.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const until = async <T>(what: () => T | undefined | false, ms = 10_000): Promise<T> => {
    const end = Date.now() + ms
    for (;;) {
      const found = what()
      if (found !== undefined && found !== false) return found
      if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what.toString()} ${JSON.stringify(objects.list(pods).map((pod) => pod.status), null, 1)} ${log.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  const pod = (name: string, container: Partial<Container>, spec: object = {}): Pod =>
    objects.create(pods, { metadata: { name, namespace: 'shop' }, spec: { containers: [{ name: 'app', image: echo, ...container }], ...spec } }, 'test')
  const statusOf = (name: string) => objects.get(pods, 'shop', name)?.status
  const reasonsOf = (name: string): unknown[] =>
    objects.list(events, 'shop').filter((event) => (event['involvedObject'] as { name: string }).name === name).map((event) => event['reason'])
  const get = async (name: string, path = '/'): Promise<unknown> => (await fetch(`http://${statusOf(name)?.podIP}:8080${path}`)).json()

  test('a Deployment becomes a ReplicaSet, pods, and processes that answer on their own addresses', async () => {
    const labels = { app: 'echo' }
    const container = { name: 'app', image: echo, ports: [{ name: 'http', containerPort: 8080 }], readinessProbe: { httpGet: { path: '/readyz', port: 'http' } } }
    const spec = { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } }
    objects.create(deployments, { metadata: { name: 'echo', namespace: 'shop' }, spec }, 'test')
    const status = await until(() => {
      const found = objects.get(deployments, 'shop', 'echo')?.status
      return found?.availableReplicas === 2 && found
    })
    expect(status).toMatchObject({ observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2 })
    const ips = objects.list(pods, 'shop').map((found) => found.status?.podIP)
    expect(new Set(ips).size).toBe(2)
    for (const ip of ips) expect((await fetch(`http://${ip}:8080/`)).status).toBe(200)
    expect(objects.get(nodes, '', 'playground')?.status).toMatchObject({ conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { kubeletVersion: versionInfo.gitVersion } })
    objects.edit(deployments, { namespace: 'shop', name: 'echo' }, 'object', 'test', (object) => {
      object.spec.replicas = 0
    })
    await until(() => objects.list(pods, 'shop').length === 0)
    await expect(fetch(`http://${ips[0]}:8080/`)).rejects.toThrow('fetch failed')
  })

  test('gives a container its environment, its files, and new files when a ConfigMap changes', async () => {
    const config = (title: string): object => ({ metadata: { name: 'page', namespace: 'shop' }, data: { title, message: 'Welcome' } })
    const image = 'registry.shop.example/storefront/storefront-web:2.3.0'
    const volumes = [{ name: 'page', configMap: { name: 'page' } }]
    pod('web', { image, volumeMounts: [{ name: 'page', mountPath: '/etc/storefront' }] }, { volumes })
    await until(() => statusOf('web')?.containerStatuses?.[0]?.state.waiting?.reason === 'CreateContainerConfigError')
    objects.create(configMaps, config('First'), 'test')
    const page = async (): Promise<string> => (await fetch(`http://${statusOf('web')?.podIP}:8080/`).catch(() => undefined))?.text() ?? ''
    const shows = async (text: string): Promise<void> => {
      let shown = ''
      await until(() => {
        void page().then((now) => (shown = now))
        return shown.includes(text)
      })
    }
    await shows('<h1>First</h1>')
    objects.edit(configMaps, { namespace: 'shop', name: 'page' }, 'object', 'test', (object) => {
      object.data = { ...object.data, title: 'Second' }
    })
    await shows('<h1>Second</h1>')
    expect(await page()).toContain('<p>Welcome</p>')
  })

  test('resolves env, envFrom and fieldRef', async () => {
    objects.create(configMaps, { metadata: { name: 'conf', namespace: 'shop' }, data: { A: '1', B: '2' } }, 'test')
    pod('env', {
      envFrom: [{ prefix: 'SHOW_', configMapRef: { name: 'conf' } }],
      env: [
        { name: 'SHOW_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'SHOW_B', valueFrom: { configMapKeyRef: { name: 'conf', key: 'B' } } },
        { name: 'SHOW_ALL', value: '$(SHOW_A)-$(SHOW_B) $$(SHOW_A) $(NONE)' },
      ],
      readinessProbe: { tcpSocket: { port: 8080 } },
    })
    await until(() => statusOf('env')?.containerStatuses?.[0]?.ready)
    const { env } = (await get('env')) as { env: object }
    expect(env).toEqual({ SHOW_A: '1', SHOW_B: '2', SHOW_POD: 'env', SHOW_ALL: '1-2 $(SHOW_A) $(NONE)' })
  })

  test('an unknown image stays ImagePullBackOff until the image is mended', async () => {
    pod('odd', { image: 'registry.shop.example/orders/orders-api:9.9.9' })
    await until(() => statusOf('odd')?.containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff')
    expect(statusOf('odd')?.phase).toBe('Pending')
    expect(reasonsOf('odd')).toContain('BackOff')
    objects.edit(pods, { namespace: 'shop', name: 'odd' }, 'object', 'test', (object) => {
      object.spec.containers = [{ name: 'app', image: echo }]
    })
    await until(() => statusOf('odd')?.containerStatuses?.[0]?.state.running)
    expect(statusOf('odd')?.containerStatuses?.[0]?.restartCount).toBe(0)
  })

  test('a program that crashes is restarted, then backs off', async () => {
    pod('crash', { env: [{ name: 'FAIL', value: 'crash' }] })
    const state = await until(() => {
      const found = statusOf('crash')?.containerStatuses?.[0]
      return found?.state.waiting?.reason === 'CrashLoopBackOff' && found
    })
    expect(state).toMatchObject({ ready: false, restartCount: 1, lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
    expect(statusOf('crash')?.phase).toBe('Running')
    expect(kubelet.log('shop', 'crash', undefined, 'previous')?.lines().at(-1)?.text).toContain('cannot start')
  })

  test('a pod that never gets ready is not ready, and says why', async () => {
    pod('unready', { env: [{ name: 'FAIL', value: 'unready' }], readinessProbe: { httpGet: { path: '/readyz', port: 8080 }, periodSeconds: 1 } })
    await until(() => reasonsOf('unready').includes('Unhealthy'))
    expect(statusOf('unready')?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' })
  })

  test('a failing liveness probe restarts the container', async () => {
    const livenessProbe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 1 }
    pod('sick', { env: [{ name: 'FAIL', value: 'unhealthy' }], livenessProbe })
    await until(() => statusOf('sick')?.containerStatuses?.[0]?.restartCount === 1)
    expect(reasonsOf('sick')).toEqual(expect.arrayContaining(['Unhealthy', 'Killing']))
  })

  test('an exec probe is never taken for a pass', async () => {
    pod('exec', { readinessProbe: { exec: { command: ['true'] } } })
    await until(() => reasonsOf('exec').includes('Unhealthy'))
    expect(statusOf('exec')?.containerStatuses?.[0]?.ready).toBe(false)
  })

  test('work that ends leaves a Succeeded or a Failed pod, after its init containers', async () => {
    const initContainers = [{ name: 'first', image: task }]
    pod('good', { image: task, env: [{ name: 'MESSAGE', value: 'well done' }] }, { restartPolicy: 'Never', initContainers })
    pod('bad', { image: task, env: [{ name: 'EXIT_CODE', value: '3' }] }, { restartPolicy: 'Never' })
    await until(() => statusOf('good')?.phase === 'Succeeded' && statusOf('bad')?.phase === 'Failed')
    expect(statusOf('bad')?.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(statusOf('good')?.initContainerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
    expect(kubelet.log('shop', 'good')?.lines().map(({ text }) => text)).toEqual(['well done'])
  })

  test('a pod waits for its claim, and says so', async () => {
    pod('waits', {}, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
    await until(() => reasonsOf('waits').includes('FailedScheduling'))
    expect(statusOf('waits')?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }])
    objects.create(claims, { metadata: { name: 'data', namespace: 'shop' }, spec: {} }, 'test')
    objects.edit(claims, { namespace: 'shop', name: 'data' }, 'status', 'test', (object) => void (object.status = { phase: 'Bound' }))
    await until(() => statusOf('waits')?.containerStatuses?.[0]?.state.running)
  })

  test('a deleted pod ends its process, then its object goes', async () => {
    pod('gone', { readinessProbe: { tcpSocket: { port: 8080 } } })
    await until(() => statusOf('gone')?.containerStatuses?.[0]?.ready)
    const ip = statusOf('gone')?.podIP
    objects.delete(pods, { namespace: 'shop', name: 'gone' })
    expect(objects.get(pods, 'shop', 'gone')?.metadata.deletionTimestamp).toBeDefined()
    await until(() => objects.get(pods, 'shop', 'gone') === undefined)
    await expect(fetch(`http://${ip}:8080/`)).rejects.toThrow('fetch failed')
  })
})
