import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { type Kubectl, kubectlFor } from './api/testing-kubectl.ts'
import { isInstalled } from './api/testing.ts'
import { type Cluster, startCluster } from './cluster.ts'

const hasKubectl = isInstalled('kubectl')
const image = 'registry.shop.example/tools/echo'
const labels = { app: 'echo' }
const manifests = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'echo', image: `${image}:1.0.0`, ports: [{ name: 'http', containerPort: 8080 }], volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
          },
        },
      },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'echo' }, spec: { selector: labels, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] } },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'echo' },
      spec: { rules: [{ host: 'echo.example', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'echo', port: { name: 'http' } } } }] } }] },
    },
    {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'echo' },
      spec: { minReplicas: 2, maxReplicas: 2, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'echo' } },
    },
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lamps.example.dev' },
      spec: {
        group: 'example.dev',
        scope: 'Namespaced',
        names: { plural: 'lamps', kind: 'Lamp', shortNames: ['lp'], categories: ['lights'] },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            additionalPrinterColumns: [
              { name: 'Watts', type: 'integer', jsonPath: '.spec.watts' },
              { name: 'Room', type: 'string', jsonPath: '.spec.room', priority: 1 },
            ],
            selectableFields: [{ jsonPath: '.spec.room' }],
            subresources: { status: {}, scale: { specReplicasPath: '.spec.bulbs', statusReplicasPath: '.status.bulbs' } },
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  spec: {
                    type: 'object',
                    'x-kubernetes-validations': [{ rule: 'self.watts < 100', messageExpression: '"too bright: %d".format([self.watts])' }],
                    properties: { watts: { type: 'integer', description: 'How bright.', default: 5 }, room: { type: 'string' }, bulbs: { type: 'integer' } },
                  },
                  status: { type: 'object', properties: { bulbs: { type: 'integer' }, conditions: { type: 'array', items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } } } } },
                },
              },
            },
          },
        ],
      },
    },
  ],
}

describe.skipIf(!hasKubectl)('kubectl and a cluster that runs (skipped where kubectl is not installed)', () => {
  let dir: string
  let cluster: Cluster
  let kubectl: Kubectl
  let endKubectl: () => void

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-kubectl-'))
    cluster = await startCluster({ name: 'test', dir, compileCache: join(dir, 'compiled'), clock: systemClock, log: () => undefined, places: { apiPort: 0, ingressPort: 0 } })
    ;({ kubectl, end: endKubectl } = kubectlFor(cluster.api))
    await kubectl('apply -f -', manifests)
    await kubectl('rollout status deployment/echo --timeout=15s')
  }, 30_000)
  afterAll(async () => {
    endKubectl?.()
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const out = async (command: string | readonly string[], stdin?: unknown): Promise<string> => {
    const ran = await kubectl(command, stdin)
    expect({ command, ...ran }).toMatchObject({ code: 0 })
    return ran.out
  }

  test('get: sorted, selected by field, by path, watched, and who owns what', async () => {
    const names = (await out('get pods --sort-by=.metadata.name -o jsonpath={.items[*].metadata.name}')).split(' ')
    expect(names).toEqual(names.toSorted())
    expect((await out('get pods --field-selector=status.phase=Running -o name')).trim().split('\n')).toHaveLength(2)
    expect(await out('get pods --field-selector=status.phase=Failed -o name')).toBe('')
    expect(await out('get pods -o wide')).toMatch(/IP +NODE +NOMINATED NODE +READINESS GATES\necho-.+ 1\/1 +Running +0 +\d+s +127\.\S+ +playground/)
    const watched = kubectl('get configmaps -w --request-timeout=2s -o name')
    await expect.poll(() => cluster.api.requests().some(({ path }) => path.includes('/configmaps?') && path.includes('watch=true'))).toBe(true)
    await out('create configmap seen')
    expect((await watched).out).toContain('configmap/seen\n')
    const pods = JSON.parse(await out('get pods -l app=echo --show-managed-fields -o json')) as { items: { metadata: { managedFields: { manager: string; subresource?: string }[] } }[] }
    const managers = pods.items[0]?.metadata.managedFields.map(({ manager, subresource }) => [manager, subresource])
    expect(managers).toEqual(expect.arrayContaining([['kube-controller-manager', undefined], ['kubelet', 'status']]))
    const made = JSON.parse(await out('get deployment echo --show-managed-fields -o json')) as (typeof pods)['items'][number]
    expect(made.metadata.managedFields.map(({ manager, subresource }) => [manager, subresource])).toEqual(expect.arrayContaining([['kubectl-client-side-apply', undefined], ['kube-controller-manager', 'status']]))
  })

  test.each([
    ['deployment echo', /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable[\s\S]*NewReplicaSet: +echo-/],
    ['pod -l app=echo', /Controlled By: +ReplicaSet\/echo-[\s\S]*State: +Running[\s\S]*ClaimName: +data[\s\S]*Scheduled/],
    ['service echo', /TargetPort: +http\/TCP\nEndpoints: +127\.\S+:8080,127\.\S+:8080/],
    ['ingress echo', /Address: +127\.0\.0\.1[\s\S]*echo:http \(127\.\S+:8080,127\.\S+:8080\)/],
    ['hpa echo', /Reference: +Deployment\/echo[\s\S]*Min replicas: +2[\s\S]*Deployment pods: +2 current \/ 2 desired/],
    ['pvc data', /Status: +Bound[\s\S]*Capacity: +1Gi[\s\S]*Used By: +echo-/],
    ['node', /Name: +playground[\s\S]*Ready +True[\s\S]*Non-terminated Pods: +\(2 in total\)/],
  ])('describe %s', async (what, expected) => {
    expect(await out(`describe ${what}`)).toMatch(expected)
  })

  test('logs: the last lines, of a selector, followed, and of a run before', async () => {
    expect(await out('logs deployment/echo --tail=1')).toMatch(/listens on 127\./)
    expect((await out('logs -l app=echo --tail=1 --prefix')).trim().split('\n')).toEqual([expect.stringMatching(/^\[pod\/echo-/), expect.stringMatching(/^\[pod\/echo-/)])
    expect(await out('logs deployment/echo --timestamps --since=1h')).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z .* listens on 127\./)
    expect(await out('logs deployment/echo --since-time=2999-01-01T00:00:00Z')).toBe('')
    expect((await kubectl('logs deployment/echo -f --request-timeout=1s')).out).toMatch(/listens on/)
    expect((await kubectl('logs deployment/echo --previous')).err).toMatch(/previous terminated container "echo" in pod "echo-\S+" not found/)
  })

  test('a custom resource: columns, categories, selectable fields, scale, status, wait, rules', async () => {
    const lamp = { apiVersion: 'example.dev/v1', kind: 'Lamp', metadata: { name: 'l' }, spec: { room: 'hall', bulbs: 1 } }
    await out('apply -f -', lamp)
    expect(await out('get lp -o wide')).toMatch(/NAME +WATTS +ROOM\nl +5 +hall/)
    expect(await out('get lights')).toMatch(/NAME +WATTS\nl +5/)
    expect(await out('get lp --field-selector=spec.room=hall -o name')).toBe('lamp.example.dev/l\n')
    expect(await out('get lp --field-selector=spec.room=attic -o name')).toBe('')
    expect((await kubectl('get lp --field-selector=spec.watts=5')).err).toMatch(/field label not supported/)
    expect(await out('scale lamp l --replicas=3')).toBe('lamp.example.dev/l scaled\n')
    const waited = kubectl('wait lamp/l --for=condition=Lit --timeout=10s')
    await out(['patch', 'lamp', 'l', '--subresource=status', '--type=merge', '-p', '{"status":{"bulbs":3,"conditions":[{"type":"Lit","status":"True"}]}}'])
    expect((await waited).out).toBe('lamp.example.dev/l condition met\n')
    expect(await out('wait lamp/l --for=jsonpath={.status.bulbs}=3 --timeout=5s')).toBe('lamp.example.dev/l condition met\n')
    expect(await out('describe lamp l')).toMatch(/Bulbs: +3[\s\S]*Watts: +5/)
    expect((await kubectl('patch lamp l --type=merge -p {"spec":{"watts":500}}')).err).toMatch(/too bright: 500/)
    expect(await out(['patch', 'lamp', 'l', '--type=json', '-p', '[{"op":"replace","path":"/spec/watts","value":7}]'])).toMatch(/patched/)
    expect(await out('explain lamp --recursive')).toMatch(/spec\t<Object>[\s\S]*watts\t<integer>/)
    // What it applied from its own side kubectl takes over; what was scaled meanwhile it does not.
    expect((await kubectl('apply --server-side -f -', lamp)).err).toMatch(/conflict with "kubectl" with subresource "scale".*: \.spec\.bulbs/)
    await out('apply --server-side -f -', { ...lamp, spec: { room: 'hall', bulbs: 3 } })
    const after = JSON.parse(await out('get lamp l --show-managed-fields -o json')) as { metadata: { managedFields: { manager: string; operation: string }[] } }
    expect(after.metadata.managedFields).toContainEqual(expect.objectContaining({ manager: 'kubectl', operation: 'Apply' }))
  })

  test('exec, attach, cp, port-forward, debug: there is no such thing, and where the pod is instead', async () => {
    const pod = (await out('get pods -l app=echo -o jsonpath={.items[0].metadata.name}')).trim()
    const why = (what: string): RegExp => new RegExp(`^[^\\n]*the playground has no kubectl ${what}: pod "${pod}" is a process of this machine; it listens at 127\\.\\S+:8080, and kubectl logs shows what it says$`, 'm')
    for (const [command, what] of [[`exec ${pod} -- ls`, 'exec or cp'], [`cp ${pod}:/etc/hosts hosts`, 'exec or cp'], [`attach ${pod}`, 'attach'], [`port-forward ${pod} 8080`, 'port-forward'], [`debug ${pod} --image=i`, 'debug']] as const) {
      const { err, code } = await kubectl(command)
      expect([code, err]).toEqual([1, expect.stringMatching(why(what))])
    }
  })

  test('delete: orphans, foreground, and waiting for it', async () => {
    await out('delete hpa echo')
    await out('delete deployment echo --cascade=orphan')
    expect(await out('get replicasets -l app=echo -o name')).toMatch(/replicaset/)
    const waited = kubectl('wait pods -l app=echo --for=delete --timeout=15s')
    await out('delete replicasets -l app=echo --cascade=foreground --timeout=15s')
    expect((await waited).code).toBe(0)
    expect(await out('get pods -l app=echo -o name')).toBe('')
  })

  test('events, cluster-info and top, which says why not', async () => {
    expect(await out('get events --field-selector=reason=Started')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\d+s +Normal +Started +pod\/echo-/)
    expect(await out('events --types=Normal')).toMatch(/Normal +Started/)
    expect(await out('get events.v1.events.k8s.io --field-selector=reason=Started,regarding.kind=Pod')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\d+s +Normal +Started +pod\/echo-\S+ +Started container/)
    expect(await out('cluster-info')).toMatch(/Kubernetes control plane.* is running at /)
    expect((await kubectl('top pods')).err).toMatch(/Metrics API not available/)
  })

  test('cordon, drain, uncordon, taint: pods wait for a node, and a budget is asked', async () => {
    const [labelled, selector] = [{ app: 'drained' }, { matchLabels: { app: 'drained' } }]
    const template = { metadata: { labels: labelled }, spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'echo', image: `${image}:1.0.0` }] } }
    const agents = { matchLabels: { app: 'agent' } }
    await out('apply -f -', {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'drained' }, spec: { replicas: 2, selector, template } },
        { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec: { selector: agents, template: { ...template, metadata: { labels: agents.matchLabels } } } },
        { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'drained' }, spec: { minAvailable: 1, selector } },
      ],
    })
    await out('rollout status deployment/drained --timeout=15s')
    await out('rollout status daemonset/agent --timeout=15s')
    await out('wait pdb/drained --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=15s')
    await out('cordon playground')
    const [first, second] = (await out('get pods -l app=drained -o jsonpath={.items[*].metadata.name}')).split(' ')
    const evict = (name: string | undefined): ReturnType<Kubectl> => kubectl(`create --raw /api/v1/namespaces/default/pods/${name}/eviction -f -`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
    expect(await evict(first)).toMatchObject({ code: 0 })
    expect(await evict(second)).toMatchObject({ code: 1, err: "Error from server (TooManyRequests): Cannot evict pod as it would violate the pod's disruption budget.\n" })
    expect(await out('get nodes')).toMatch(/playground +Ready,SchedulingDisabled/)
    await out('wait pods -l app=drained --for=condition=PodScheduled=False --timeout=15s --field-selector=status.phase=Pending')
    expect(await out('get events --field-selector=reason=FailedScheduling')).toMatch(/Warning +FailedScheduling +pod\/drained-\S+ +0\/1 nodes are available: 1 node\(s\) were unschedulable\. /)
    await out('delete pdb drained')
    expect(await out('drain playground --ignore-daemonsets --pod-selector=app=drained --timeout=15s')).toMatch(new RegExp(`pod/${second} evicted\nnode/playground drained`))
    await out('uncordon playground')
    await out('rollout status deployment/drained --timeout=15s')
    expect(await out('get daemonset agent --no-headers')).toMatch(/^agent +1 +1 +1/)
    await out('taint node playground only=agents:NoExecute')
    await out('wait pods -l app=agent --for=delete --timeout=15s')
    expect(await out('get daemonset agent --no-headers')).toMatch(/^agent +0 +0 +0/)
    expect(await out('describe node playground')).toMatch(/Taints: +only=agents:NoExecute\nUnschedulable: +false/)
    await out('taint node playground only-')
    await out('rollout status daemonset/agent --timeout=15s')
  })
})
