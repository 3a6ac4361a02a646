import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kubernetes } from '#drivers/kubernetes/kubernetes.ts'
import type { JsonObject } from '#lib/json.ts'
import { readYaml } from '#lib/yaml.ts'
import { environmentSchema } from '#model/config/environment.ts'
import type { Desired } from '#model/resource.ts'
import { desiredOf, kubernetesPlace } from '../../test/kubernetes-place.ts'
import type { KubernetesPlace } from '../../test/kubernetes-place.ts'
import { trial } from '../../test/trial.ts'
import { expectDeliverable } from './import-now.ts'
import { importNamespace } from './import.ts'
import type { ImportedModule } from './import.ts'

const kubectlIsHere = (() => {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

let place: KubernetesPlace
beforeAll(async () => {
  place = await kubernetesPlace()
})
afterAll(() => place.stop())

/** Not in this thread's time: the API server runs in it. */
async function kubectl(args: readonly string[], input = ''): Promise<void> {
  const child = spawn('kubectl', ['--kubeconfig', place.cluster.kubeconfig, '--context', place.cluster.context, '-n', place.namespace, ...args], { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${said}`)
}
const environment = environmentSchema({}).parse({ apiVersion: 'plumbline.dev/v1alpha1', kind: 'Environment', metadata: { name: 'production' }, spec: { tier: 'production', targets: { cluster: { kubernetes: { context: 'x' } } } } })
const read = async (): Promise<ImportedModule> => importNamespace(kubernetes, place.call, { namespace: place.namespace, module: 'by-hand', target: 'cluster', environment })
const bodies = ({ files }: ImportedModule): Map<string, JsonObject> => new Map(files.map(({ path, content }) => [path, readYaml(Buffer.from(content), { file: path, rules: '1.1' })[0]?.value as JsonObject]))
const desired = (module: ImportedModule): Desired[] => [...bodies(module)].filter(([path]) => path.startsWith('manifests/')).map(([, body]) => desiredOf(body))

/** A namespace as one grows: some of it created, some applied, some changed afterwards, some of it made by controllers. */
async function byHand(): Promise<void> {
  await kubectl(['create', 'deployment', 'web', '--image=nginx:1.25', '--replicas=2', '--port=80'])
  await kubectl(['expose', 'deployment', 'web', '--port=80'])
  await kubectl(['create', 'configmap', 'settings', '--from-literal=LEVEL=yes', '--from-literal=page=two\nlines\n'])
  await kubectl(['create', 'secret', 'generic', 'db', '--from-literal=password=canary-77a'])
  const api = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', labels: { app: 'api' }, annotations: { note: '0644' } }, spec: { selector: { matchLabels: { app: 'api' } }, template: { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'app', image: 'api:1', env: [{ name: 'A', value: '1e3' }], ports: [{ containerPort: 8080 }], readinessProbe: { httpGet: { path: '/', port: 8080 } } }], volumes: [{ name: 't', emptyDir: {} }] } } } }
  await kubectl(['apply', '-f', '-'], JSON.stringify(api))
  await kubectl(['set', 'image', 'deployment/api', 'app=api:2'])
  await kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' }, spec: { schedule: '0 3 * * *', jobTemplate: { spec: { template: { spec: { restartPolicy: 'OnFailure', containers: [{ name: 'job', image: 'job:1' }] } } } } } }))
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'files' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }))
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'web' }, spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas: 2, maxReplicas: 5 } }))
}

describe.skipIf(!kubectlIsHere)('what was made by hand (kubectl has to be on the PATH)', () => {
  let module: ImportedModule
  beforeAll(async () => {
    await byHand()
    await place.write({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-a-controller', namespace: place.namespace }, data: { a: 'b' } }, 'some-operator')
    module = await read()
  })

  test('becomes manifests of what people declared, without defaults and what the cluster sets', () => {
    const found = bodies(module)
    expect([...found.keys()]).toEqual(['module.yaml', 'manifests/configmap-settings.yaml', 'manifests/persistentvolumeclaim-files.yaml', 'manifests/deployment-api.yaml', 'manifests/deployment-web.yaml', 'manifests/cronjob-nightly.yaml', 'manifests/service-web.yaml', 'manifests/horizontalpodautoscaler-web.yaml'])
    expect(found.get('module.yaml')).toMatchObject({ kind: 'Module', metadata: { name: 'by-hand' }, spec: { target: 'cluster', environments: ['production'], takeOver: true } })
    const { namespace } = place
    expect(found.get('manifests/deployment-api.yaml')).toEqual({
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', namespace, labels: { app: 'api' }, annotations: { note: '0644' } },
      spec: { selector: { matchLabels: { app: 'api' } }, template: { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'app', image: 'api:2', env: [{ name: 'A', value: '1e3' }], ports: [{ containerPort: 8080 }], readinessProbe: { httpGet: { path: '/', port: 8080 } } }], volumes: [{ name: 't', emptyDir: {} }] } } },
    })
    // The autoscaler moves its replicas.
    expect(found.get('manifests/deployment-web.yaml')).toEqual({
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace, labels: { app: 'web' } },
      spec: { selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'nginx', image: 'nginx:1.25', ports: [{ containerPort: 80 }] }] } } },
    })
    expect(found.get('manifests/service-web.yaml')).toEqual({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace, labels: { app: 'web' } }, spec: { ports: [{ port: 80 }], selector: { app: 'web' } } })
    expect(found.get('manifests/configmap-settings.yaml')).toEqual({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace }, data: { LEVEL: 'yes', page: 'two\nlines\n' } })
  })

  test('tells what it left out, and why; a Secret by its name alone', () => {
    expect(module.left.map(({ object, why }) => `${object.replace(place.namespace, 'ns')}: ${why}`)).toEqual(expect.arrayContaining(['Secret ns/db: the values of Secrets are never written to Git', 'ConfigMap ns/of-a-controller: nobody but controllers wrote it']))
    expect(JSON.stringify(module)).not.toContain('canary-77a')
    expect(JSON.stringify(module)).not.toContain(Buffer.from('canary-77a').toString('base64'))
  })

  test('is delivered without a change of anything: every field has the value that it had, and no generation moves', async () => {
    const wanted = desired(module)
    const generations = async () => Promise.all(wanted.map(async ({ key, body }) => [key, ((await place.read(body))?.['metadata'] as JsonObject | undefined)?.['generation'] ?? null]))
    const before = await generations()
    const on = trial(kubernetes, place.call, 'by-hand')
    const plan = await on.plan(wanted, [], true)
    const other = plan.flatMap(({ key, changes }) => changes.filter(({ path, state, from, to }) => !path.includes('plumbline.dev/module') && (state !== 'taken' || JSON.stringify(from) !== JSON.stringify(to))).map((change) => ({ key, ...change })))
    expect(other).toEqual([])
    expect(plan.map(({ action, refused }) => [action, refused])).toEqual(plan.map(() => ['configured', undefined]))
    const held = await on.deliver(wanted, [], true)
    expect(await generations()).toEqual(before)
    expect((await on.plan(wanted, held)).map(({ action }) => action)).toEqual(wanted.map(() => 'unchanged'))
    // And from then on it is a module's.
    const again = await read().catch((error: unknown) => error)
    expect(again).toMatchObject({ code: 'import-empty' })
  })
})

test('goes only into a repository that may deliver there', () => {
  const limits = { environments: ['production'], targets: ['cluster'], namespaces: ['orders-*'], kinds: 'namespaced' as const, secrets: [] }
  const from = { environment: 'production', target: 'cluster', namespace: 'orders-api' }
  expectDeliverable('everything', from, 'platform')
  expectDeliverable(limits, from, 'orders')
  for (const other of [{ environment: 'staging' }, { target: 'other' }, { namespace: 'billing' }]) expect(() => expectDeliverable(limits, { ...from, ...other }, 'orders')).toThrow(expect.objectContaining({ code: 'import-beyond-limits' }))
})

test('a namespace with nothing in it', async () => {
  await expect(importNamespace(kubernetes, place.call, { namespace: 'nowhere-at-all', module: 'm', target: 'cluster', environment })).rejects.toMatchObject({ code: 'import-empty' })
  const { survey: _, ...without } = kubernetes
  await expect(importNamespace(without, place.call, { namespace: 'x', module: 'm', target: 'cluster', environment })).rejects.toMatchObject({ code: 'import-unsupported' })
  await expect(importNamespace(kubernetes, place.unreachable, { namespace: 'x', module: 'm', target: 'cluster', environment })).rejects.toMatchObject({ code: expect.stringContaining('kubernetes') })
  const blind = { ...kubernetes, survey: async () => [{ key: 'core/ConfigMap/x/a', state: 'unknown' as const, failure: { code: 'internal', subject: 'x', message: 'blind', retry: 'never' as const } }] }
  await expect(importNamespace(blind, place.call, { namespace: 'x', module: 'm', target: 'cluster', environment })).rejects.toMatchObject({ code: 'import-unsure' })
})
