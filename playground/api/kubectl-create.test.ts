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

  test('a Job from a CronJob that has all that a pod may have', async () => {
    const projected = { sources: [{ configMap: { name: 'a', optional: true } }, { secret: { name: 'b' } }, { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } }, { serviceAccountToken: { path: 't', expirationSeconds: 3600 } }] }
    const volumes = [
      { name: 'map', configMap: { name: 'a', defaultMode: 0o444, items: [{ key: 'k', path: 'p', mode: 0o400 }] } },
      { name: 'secret', secret: { secretName: 'b', optional: false } },
      { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'empty', emptyDir: {} },
      { name: 'claim', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
      { name: 'own', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } } },
      { name: 'all', projected },
      { name: 'host', hostPath: { path: '/var', type: 'Directory' } },
    ]
    const probe = { httpGet: { path: '/', port: 'http', httpHeaders: [{ name: 'A', value: 'b' }] }, initialDelaySeconds: 3 }
    const container = {
      name: 'main',
      image: 'app:1',
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'b', key: 'k' } } }, { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }],
      envFrom: [{ prefix: 'P_', configMapRef: { name: 'a' } }],
      ports: [{ name: 'http', containerPort: 80 }],
      resources: { limits: { cpu: '1' }, requests: { cpu: '100m' } },
      volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}`, subPath: 'x' })),
      readinessProbe: probe,
      livenessProbe: { tcpSocket: { port: 80 }, periodSeconds: 5 },
      startupProbe: { exec: { command: ['true'] } },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
    }
    const term = { labelSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }] }, topologyKey: 'zone' }
    const spec = {
      restartPolicy: 'Never',
      containers: [container],
      initContainers: [{ name: 'first', image: 'app:1', restartPolicy: 'Always' }],
      volumes,
      imagePullSecrets: [{ name: 'pull' }],
      securityContext: { runAsUser: 0, fsGroup: 2000, supplementalGroups: [1, 2], sysctls: [{ name: 'a.b', value: '1' }] },
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'os', operator: 'Exists' }] }] } },
        podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
      },
      tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'x', effect: 'NoExecute', tolerationSeconds: 0 }],
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } } }],
      hostAliases: [{ ip: '127.0.0.1', hostnames: ['a'] }],
      dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
      enableServiceLinks: false,
      overhead: { cpu: '1' },
      readinessGates: [{ conditionType: 'x' }],
    }
    const podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }, { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }] }
    const jobTemplate = { spec: { completionMode: 'Indexed', completions: 2, podFailurePolicy, successPolicy: { rules: [{ succeededCount: 1 }] }, template: { metadata: { labels: { app: 'x' } }, spec } } }
    const whole = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'whole' }, spec: { schedule: '@daily', jobTemplate } }
    expect(await kubectl('create -f -', whole)).toMatchObject({ err: '', code: 0 })
    expect(await kubectl('create job whole --from=cronjob/whole')).toMatchObject({ err: '', code: 0 })
    type Made = { spec: { jobTemplate: { spec: JsonObject & { template: { spec: object } } } } & JsonObject & { template: { spec: object } } }
    const wanted = ((await made('/apis/batch/v1/namespaces/default/cronjobs/whole')) as Made).spec.jobTemplate.spec
    const got = ((await made('/apis/batch/v1/namespaces/default/jobs/whole')) as Made).spec
    expect(got.template.spec).toEqual(wanted.template.spec)
    expect(got).toMatchObject({ completionMode: 'Indexed', podFailurePolicy: wanted.podFailurePolicy, successPolicy: wanted.successPolicy })
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
    // By hand: kubectl sends such things in JSON before 1.32.
    const field = (number: number, content: Buffer | string): Buffer => Buffer.concat([Buffer.from([number * 8 + 2, content.length]), Buffer.from(content)])
    const object = Buffer.concat([field(1, field(1, 'half')), field(15, 'what nobody knows')])
    const envelope = Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.concat([field(1, 'v1'), field(2, 'ConfigMap')])), field(2, object)])
    const path = '/api/v1/namespaces/default/configmaps'
    const sent = await running.ask('POST', path, envelope, { 'content-type': 'application/vnd.kubernetes.protobuf' })
    expect(sent).toMatchObject({ status: 400, body: { message: expect.stringMatching(/field 15 is not known here: send JSON/) } })
    expect((await running.ask('GET', `${path}/half`)).status).toBe(404)
  })

  test('autoscaling/v2, as kubectl 1.37 sends it', async () => {
    // Recorded: kubectl autoscale deployment both --min=1 --max=4 --cpu=500m --memory=70%
    const sent =
      'azhzAAopCg5hdXRvc2NhbGluZy92MhIXSG9yaXpvbnRhbFBvZEF1dG9zY2FsZXISkQEKFAoEYm90aBIAGgAiACoAMgA4AEIAEnMKGwoKRGVwbG95bWVudBIEYm90aBoHYXBwcy92MRABGAQiKQoIUmVzb3VyY2UiHQoDY3B1EhYKDEF2ZXJhZ2VWYWx1ZRoGCgQ1MDBtIiUKCFJlc291cmNlIhkKBm1lbW9yeRIPCgtVdGlsaXphdGlvbiBGGgQYACAAGgAiAA=='
    const path = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'
    expect((await running.ask('POST', path, Buffer.from(sent, 'base64'), { 'content-type': 'application/vnd.kubernetes.protobuf' })).status).toBe(201)
    const resource = (name: string, target: JsonObject): object => ({ type: 'Resource', resource: { name, target } })
    const metrics = [resource('cpu', { type: 'AverageValue', averageValue: '500m' }), resource('memory', { type: 'Utilization', averageUtilization: 70 })]
    expect(await made(`${path}/both`)).toMatchObject({ spec: { minReplicas: 1, maxReplicas: 4, metrics, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'both' } } })
  })

  test('autoscaling/v1, which kubectl before 1.34 writes, is another view of the same object', async () => {
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
