import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '#lib/json.ts'
import { type Kubectl, kubectlFor } from './testing-kubectl.ts'
import { isInstalled, type TestServer, testServer } from './testing.ts'

const hasKubectl = isInstalled('kubectl')

describe.skipIf(!hasKubectl)('what kubectl makes, in protobuf (skipped where kubectl is not installed)', () => {
  let running: TestServer
  let kubectl: Kubectl
  let endKubectl: () => void

  beforeAll(async () => {
    running = await testServer()
    ;({ kubectl, end: endKubectl } = kubectlFor(running.server))
  })
  afterAll(async () => {
    endKubectl()
    await running.end()
  })

  const made = async (path: string): Promise<unknown> => (await running.ask('GET', path)).body

  test('a CronJob, and a Job from it', async () => {
    expect((await kubectl('create cronjob c --image=app:1 --schedule=@daily -- echo hi')).out).toBe('cronjob.batch/c created\n')
    const spec = { template: { spec: { containers: [{ name: 'c', image: 'app:1', command: ['echo', 'hi'] }], restartPolicy: 'OnFailure' } } }
    expect(await made('/apis/batch/v1/namespaces/default/cronjobs/c')).toMatchObject({ spec: { schedule: '@daily', jobTemplate: { spec } } })
    expect((await kubectl('create job j --from=cronjob/c')).out).toBe('job.batch/j created\n')
    expect(await made('/apis/batch/v1/namespaces/default/jobs/j')).toMatchObject({ metadata: { annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' }, ownerReferences: [{ kind: 'CronJob', name: 'c' }] }, spec })
  })

  test('an Ingress, whose rules lie flat in JSON', async () => {
    expect((await kubectl('create ingress i --class=nginx --rule=foo.com/*=svc:8080,tls=cert --default-backend=other:http')).code).toBe(0)
    expect(await made('/apis/networking.k8s.io/v1/namespaces/default/ingresses/i')).toMatchObject({
      spec: {
        ingressClassName: 'nginx',
        defaultBackend: { service: { name: 'other', port: { name: 'http' } } },
        tls: [{ hosts: ['foo.com'], secretName: 'cert' }],
        rules: [{ host: 'foo.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'svc', port: { number: 8080 } } } }] } }],
      },
    })
  })

  test('a disruption budget, a quota, a priority and an aggregated role', async () => {
    expect((await kubectl('create pdb p --selector=app=web --min-available=50%')).code).toBe(0)
    expect(await made('/apis/policy/v1/namespaces/default/poddisruptionbudgets/p')).toMatchObject({ spec: { minAvailable: '50%', selector: { matchLabels: { app: 'web' } } } })
    expect((await kubectl('create quota q --hard=cpu=1000m,pods=2')).code).toBe(0)
    expect(await made('/api/v1/namespaces/default/resourcequotas/q')).toMatchObject({ spec: { hard: { cpu: '1', pods: '2' } } })
    expect((await kubectl('create priorityclass high --value=1000 --description=soon')).code).toBe(0)
    expect(await made('/apis/scheduling.k8s.io/v1/priorityclasses/high')).toMatchObject({ value: 1000, description: 'soon', preemptionPolicy: 'PreemptLowerPriority' })
    expect((await kubectl('create clusterrole sum --aggregation-rule=sum=yes')).code).toBe(0)
    expect(await made('/apis/rbac.authorization.k8s.io/v1/clusterroles/sum')).toMatchObject({ aggregationRule: { clusterRoleSelectors: [{ matchLabels: { sum: 'yes' } }] } })
  })

  test('the rest of what it can make', async () => {
    for (const command of [
      'create service nodeport np --tcp=80:8080',
      'create service externalname en --external-name=a.example',
      'create service loadbalancer lb --tcp=80',
      'create service clusterip none --clusterip=None',
      'create secret docker-registry dr --docker-server=a --docker-username=b --docker-password=c',
      'create serviceaccount robot',
      'create role reader --verb=get,list --resource=pods,deployments.apps --resource-name=a',
      'create rolebinding reads --role=reader --serviceaccount=default:robot',
      'create clusterrolebinding sees --clusterrole=view --user=eve --group=devs',
    ]) {
      expect({ command, ...(await kubectl(command)) }).toMatchObject({ command, code: 0, err: '' })
    }
    expect(await made('/api/v1/namespaces/default/services/none')).toMatchObject({ spec: { clusterIP: 'None' } })
  })

  test('what cannot be read in protobuf is refused in words, not stored by half', async () => {
    const pod = { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'app:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }], volumes: [{ name: 'v', emptyDir: {} }] } }
    await kubectl('apply -f -', { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'mounts' }, spec: { schedule: '@daily', jobTemplate: { spec: { template: pod } } } })
    expect((await kubectl('create job half --from=cronjob/mounts')).err).toMatch(/field \d+ is not known here: send JSON/)
    expect((await kubectl('get job half')).err).toMatch(/NotFound/)
  })

  test('autoscale writes autoscaling/v1, which is another view of the same object', async () => {
    await kubectl('create deployment web --image=app:1')
    expect((await kubectl('autoscale deployment web --min=2 --max=5 --cpu-percent=60')).out).toBe('horizontalpodautoscaler.autoscaling/web autoscaled\n')
    const v2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web'
    const v1 = v2.replace('v2', 'v1')
    const cpu = (averageUtilization: number): JsonObject => ({ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } })
    expect(await made(v2)).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { minReplicas: 2, maxReplicas: 5, metrics: [cpu(60)] } })
    expect(await made(v1)).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60 } })
    expect((await kubectl('get hpa')).out).toMatch(/web +Deployment\/web +cpu: <unknown>\/60% +2 +5/)
    // What v1 has no field for goes by annotation, there and back.
    const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } }
    await running.ask('PATCH', v2, { spec: { metrics: [cpu(60), memory], behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } } })
    const annotation = '[{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":80}}]'
    expect(await made(v1)).toMatchObject({ metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/metrics': annotation } } })
    await running.ask('PATCH', v1, { spec: { targetCPUUtilizationPercentage: 70 } })
    const after = (await made(v2)) as { metadata: { annotations?: object; managedFields: { apiVersion: string }[] } }
    expect(after).toMatchObject({ spec: { metrics: [memory, cpu(70)], behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } } })
    expect(after.metadata.annotations).toBeUndefined()
    expect(new Set(after.metadata.managedFields.map(({ apiVersion }) => apiVersion))).toEqual(new Set(['autoscaling/v1', 'autoscaling/v2']))
  })
})
