import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProcess } from '#lib/process.ts'
import { isInstalled, type TestServer, testServer } from './testing.ts'

const hasKubectl = isInstalled('kubectl')

type Ran = { readonly out: string; readonly err: string; readonly code: number }

describe.skipIf(!hasKubectl)('kubectl (skipped where it is not installed)', () => {
  let running: TestServer
  let home: string
  let kubectl: (command: string, stdin?: string, env?: Readonly<Record<string, string>>) => Promise<Ran>

  beforeAll(async () => {
    running = await testServer({ logs: (_namespace, name) => `a line of ${name}\n` })
    home = mkdtempSync(join(tmpdir(), 'kubectl-'))
    const { server } = running
    const cluster = { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') }
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: server.adminToken } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    }
    writeFileSync(join(home, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
    kubectl = async (command, stdin, env = {}) => {
      const exit = await runProcess({
        command: 'kubectl',
        args: command.split(' '),
        env: { PATH: process.env.PATH ?? '', HOME: home, KUBECONFIG: join(home, 'kubeconfig'), ...env },
        timeoutMs: 20_000,
        maxOutputBytes: 1 << 20,
        ...(stdin === undefined ? {} : { stdin }),
      })
      return { out: exit.stdout.toString('utf8'), err: exit.stderr, code: exit.code }
    }
    await kubectl('apply -f -', web(2))
  })
  afterAll(async () => {
    await running.end()
    rmSync(home, { recursive: true, force: true })
  })

  const web = (replicas: number): string =>
    [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: podTemplate } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
    ]
      .map((object) => JSON.stringify(object))
      .join('\n')
  const podTemplate = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'app:1', ports: [{ containerPort: 80 }] }] } }

  test('get shows the columns that its users know, and more with -o wide', async () => {
    const { out } = await kubectl('get deployments,services')
    expect(out).toMatch(/NAME +READY +UP-TO-DATE +AVAILABLE +AGE/)
    expect(out).toMatch(/deployment\.apps\/web +0\/2 +0 +0 +\d+s/)
    expect(out).toMatch(/service\/web +ClusterIP +10\.96\.0\.\d+ +<none> +80\/TCP/)
    expect((await kubectl('get deploy -o wide')).out).toMatch(/CONTAINERS +IMAGES +SELECTOR\n.*main +app:1 +app=web/)
    expect((await kubectl('get ns')).out).toMatch(/kube-system +Active/)
  })

  test('get of what is missing says so, with exit code 1', async () => {
    const { err, code } = await kubectl('get deployment missing')
    expect([err, code]).toEqual(['Error from server (NotFound): deployments.apps "missing" not found\n', 1])
  })

  test('describe tells the defaults', async () => {
    const { out } = await kubectl('describe deployment web')
    expect(out).toMatch(/StrategyType: +RollingUpdate/)
    expect(out).toMatch(/RollingUpdateStrategy: +25% max unavailable, 25% max surge/)
    expect(out).toMatch(/Image: +app:1/)
  })

  test('apply on the client side changes what changed, and nothing else', async () => {
    expect((await kubectl('apply -f -', web(2))).out).toBe('deployment.apps/web unchanged\nservice/web unchanged\n')
    expect((await kubectl('apply -f -', web(3))).out).toBe('deployment.apps/web configured\nservice/web unchanged\n')
    const kept = await kubectl('get deploy web -o jsonpath={.spec.template.spec.containers[0].ports[0].containerPort}')
    expect(kept.out).toBe('80')
  })

  test('diff shows a change and says so by its exit code', async () => {
    const changed = await kubectl('diff -f -', web(7))
    expect(changed.code).toBe(1)
    expect(changed.out).toMatch(/^- {2}replicas: \d\n\+ {2}replicas: 7$/m)
    expect((await kubectl('get deploy web -o jsonpath={.spec.replicas}')).out).not.toBe('7')
  })

  test('apply on the server side conflicts by field, and force takes it', async () => {
    const config = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shared' }, data: { key: 'one' } })
    expect((await kubectl('apply --server-side --field-manager=one -f -', config)).out).toBe('configmap/shared serverside-applied\n')
    const other = config.replace('"key":"one"', '"key":"two"')
    const refused = await kubectl('apply --server-side --field-manager=two -f -', other)
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/conflict with "one": \.data\.key/)
    expect((await kubectl('diff --server-side --field-manager=two --force-conflicts -f -', other)).out).toMatch(/^\+ {2}key: two$/m)
    expect((await kubectl('apply --server-side --field-manager=two --force-conflicts -f -', other)).code).toBe(0)
    expect((await kubectl('get cm shared --show-managed-fields -o yaml')).out).toMatch(/manager: two/)
  })

  test('edit, patch, label, annotate and scale', async () => {
    const editor = join(home, 'edit.sh')
    writeFileSync(editor, '#!/bin/sh\nsed -i s/app:1/app:2/ "$1"\n', { mode: 0o755 })
    expect((await kubectl('edit deploy web', undefined, { KUBE_EDITOR: editor })).out).toBe('deployment.apps/web edited\n')
    const patched = await kubectl('patch deploy web -p {"spec":{"template":{"spec":{"containers":[{"name":"main","command":["x"]}]}}}}')
    expect(patched.out).toBe('deployment.apps/web patched\n')
    expect((await kubectl('get deploy web -o jsonpath={.spec.template.spec.containers[*].image}')).out).toBe('app:2')
    expect((await kubectl('patch cm kube-root -p {} -n default')).code).toBe(1)
    expect((await kubectl('label deploy web tier=front')).out).toBe('deployment.apps/web labeled\n')
    expect((await kubectl('annotate deploy web why=test')).out).toBe('deployment.apps/web annotated\n')
    expect((await kubectl('get deploy -l tier=front -o name')).out).toBe('deployment.apps/web\n')
    expect((await kubectl('scale deploy web --replicas=5')).out).toBe('deployment.apps/web scaled\n')
    expect((await kubectl('scale deploy web --current-replicas=4 --replicas=1')).code).toBe(1)
    const managers = await kubectl('get deploy web --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}')
    expect(managers.out.split(' ')).toEqual(expect.arrayContaining(['kubectl-edit', 'kubectl-patch', 'kubectl-label', 'kubectl-annotate']))
  })

  test('what cannot be changed is refused in words', async () => {
    const { err } = await kubectl('patch deploy web -p {"spec":{"selector":{"matchLabels":{"app":"other"}}}}')
    expect(err).toMatch(/spec\.selector: Invalid value: .*: field is immutable/)
    const unknown = await kubectl('create -f -', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, bogus: 1 }))
    expect(unknown.err).toMatch(/strict decoding error: unknown field "bogus"/)
  })

  test('wait, for what another client does, and delete', async () => {
    const { objects } = running.server
    const deployments = { group: 'apps', version: 'v1', plural: 'deployments' }
    const waited = kubectl('wait deploy/web --for=condition=Available --timeout=10s')
    objects.edit(deployments, 'default', 'web', 'status', 'controller', (object) => {
      object.status = { conditions: [{ type: 'Available', status: 'True' }] }
    })
    expect((await waited).out).toBe('deployment.apps/web condition met\n')
    expect((await kubectl('create namespace gone')).out).toBe('namespace/gone created\n')
    expect((await kubectl('create configmap tmp --from-literal=a=b')).out).toBe('configmap/tmp created\n')
    expect((await kubectl('delete configmap tmp')).out).toMatch(/^configmap "tmp" deleted/)
    expect((await kubectl('delete configmap tmp --ignore-not-found')).code).toBe(0)
  })

  test('create, run and expose, which send protobuf', async () => {
    expect((await kubectl('create deployment made --image=app:1 --replicas=0 --port=80')).out).toBe('deployment.apps/made created\n')
    expect((await kubectl('get deploy made -o jsonpath={.spec.replicas}/{.spec.template.spec.containers[0].ports[0].containerPort}')).out).toBe('0/80')
    expect((await kubectl('expose deployment made --port=80 --target-port=http')).out).toBe('service/made exposed\n')
    expect((await kubectl('get svc made -o jsonpath={.spec.ports[0].targetPort}')).out).toBe('http')
    expect((await kubectl('run once --image=app:1 --env=A=b --restart=Never')).out).toBe('pod/once created\n')
    expect((await kubectl('create secret generic made --from-literal=p=q')).out).toBe('secret/made created\n')
    expect((await kubectl('get secret made -o jsonpath={.data.p}')).out).toBe('cQ==')
  })

  test('explain and api-resources know built-in and defined kinds', async () => {
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'lamps.example.dev' },
      spec: {
        group: 'example.dev',
        scope: 'Namespaced',
        names: { plural: 'lamps', kind: 'Lamp', shortNames: ['lp'] },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { watts: { type: 'integer', description: 'How bright.' } } } } } },
          },
        ],
      },
    }
    expect((await kubectl('apply -f -', JSON.stringify(definition))).out).toMatch(/created/)
    expect((await kubectl('wait crd/lamps.example.dev --for=condition=Established --timeout=5s')).code).toBe(0)
    expect((await kubectl('explain lamp.spec.watts')).out).toMatch(/watts <integer>[\s\S]*How bright\./)
    const strategy = await kubectl('explain deployment.spec.strategy')
    expect(strategy.out).toMatch(/FIELD: strategy <DeploymentStrategy>/)
    expect(strategy.out).toMatch(/rollingUpdate\t<RollingUpdateDeployment>/)
    expect(strategy.out).toMatch(/type\t<string>\n +Type of deployment/)
    expect((await kubectl('explain pod --recursive')).out).toMatch(/initContainers\t<\[\]Container>/)
    expect((await kubectl('api-resources --api-group=example.dev')).out).toMatch(/lamps +lp +example\.dev\/v1 +true +Lamp/)
    expect((await kubectl('apply -f -', JSON.stringify({ apiVersion: 'example.dev/v1', kind: 'Lamp', metadata: { name: 'l' }, spec: { watts: 5 } }))).out).toBe('lamp.example.dev/l created\n')
    expect((await kubectl('get lp')).out).toMatch(/NAME +AGE\nl +\d+s/)
    expect((await kubectl('api-resources --categories=api-extensions -o name')).out.trim().split('\n').map((name) => name.split('.')[0]).sort()).toEqual(
      ['customresourcedefinitions', 'mutatingwebhookconfigurations', 'validatingadmissionpolicies', 'validatingadmissionpolicybindings', 'validatingwebhookconfigurations'],
    )
    expect((await kubectl('api-versions')).out).toMatch(/^example\.dev\/v1$/m)
  })

  test('logs, auth and version', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'main', image: 'app:1' }] } }
    await kubectl('apply -f -', JSON.stringify(pod))
    expect((await kubectl('logs p')).out).toBe('a line of p\n')
    expect((await kubectl('get pods')).out).toMatch(/p +0\/1 +Pending +0 +\d+s/)
    expect((await kubectl('auth can-i create deployments')).out).toBe('yes\n')
    expect((await kubectl('auth whoami -o jsonpath={.status.userInfo.username}')).out).toBe('kubernetes-admin')
    expect((await kubectl('version -o json')).out).toMatch(/"minor": "36"/)
  })

  test('a list of two definitions in one file is applied, though kubectl checks lists by itself', async () => {
    const list = { apiVersion: 'v1', kind: 'List', items: ['a', 'b'].map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `list-${name}` } })) }
    expect((await kubectl('apply -f -', JSON.stringify(list))).out).toBe('configmap/list-a created\nconfigmap/list-b created\n')
  })
})
