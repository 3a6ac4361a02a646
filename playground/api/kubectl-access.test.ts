import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProcess } from '#lib/process.ts'
import { patching, type WebhookServer, webhookServer } from './admission/testing/webhook-server.ts'
import { isInstalled, type TestServer, testServer } from './testing.ts'

type Ran = { readonly out: string; readonly err: string; readonly code: number }

const base64 = (text: string): string => Buffer.from(text).toString('base64')

describe.skipIf(!isInstalled('kubectl'))('who may what, by kubectl (skipped where it is not installed)', () => {
  let running: TestServer
  let hook: WebhookServer
  let home: string

  beforeAll(async () => {
    running = await testServer()
    hook = await webhookServer()
    home = mkdtempSync(join(tmpdir(), 'kubectl-access-'))
    const { server } = running
    const dev = server.clientCertificate({ name: 'dev', groups: ['developers'] })
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: server.url, 'certificate-authority-data': base64(server.ca) } }],
      users: [
        { name: 'admin', user: { token: server.adminToken } },
        { name: 'dev', user: { 'client-certificate-data': base64(dev.certificate), 'client-key-data': base64(dev.key) } },
        { name: 'nobody', user: { token: 'wrong' } },
      ],
      contexts: ['admin', 'dev', 'nobody'].map((name) => ({ name, context: { cluster: 'test', user: name } })),
      'current-context': 'admin',
    }
    writeFileSync(join(home, 'kubeconfig'), JSON.stringify(kubeconfig), { mode: 0o600 })
    await kubectl('create rolebinding developers --clusterrole=view --group=developers')
  })
  afterAll(async () => {
    await running.end()
    await hook.close()
    rmSync(home, { recursive: true, force: true })
  })

  async function kubectl(command: string, stdin?: string): Promise<Ran> {
    const exit = await runProcess({
      command: 'kubectl',
      args: command.split(' '),
      env: { PATH: process.env.PATH ?? '', HOME: home, KUBECONFIG: join(home, 'kubeconfig') },
      timeoutMs: 20_000,
      maxOutputBytes: 1 << 20,
      ...(stdin === undefined ? {} : { stdin }),
    })
    return { out: exit.stdout.toString('utf8'), err: exit.stderr, code: exit.code }
  }

  const config = (name: string, data: object = {}): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })

  test('auth whoami tells the user of a certificate, and whom one is impersonating', async () => {
    const { out } = await kubectl('--context=dev auth whoami')
    expect(out).toMatch(/Username +dev\nGroups +\[developers system:authenticated\]/)
    expect((await kubectl('auth whoami --as=bob --as-group=ops --as-group=on,call --as-uid=7 -o jsonpath={.status.userInfo}')).out).toBe('{"groups":["ops","on,call","system:authenticated"],"uid":"7","username":"bob"}')
  })

  test('auth can-i, for oneself and for others', async () => {
    expect(await kubectl('auth can-i delete nodes')).toMatchObject({ out: expect.stringContaining('yes\n'), code: 0 })
    expect(await kubectl('--context=dev auth can-i list pods')).toMatchObject({ out: 'yes\n', code: 0 })
    expect(await kubectl('--context=dev auth can-i delete pods')).toMatchObject({ out: 'no\n', code: 1 })
    expect(await kubectl('--context=dev auth can-i list pods -n kube-system')).toMatchObject({ out: 'no\n', code: 1 })
    expect(await kubectl('auth can-i get secrets/one --as=bob')).toMatchObject({ out: 'no\n', code: 1 })
    expect(await kubectl('auth can-i get pods --subresource=log --as=bob --as-group=developers')).toMatchObject({ out: 'yes\n', code: 0 })
    expect(await kubectl('--context=dev auth can-i get /api')).toMatchObject({ out: 'yes\n' })
    expect(await kubectl('--context=dev auth can-i get pods --as=bob')).toMatchObject({ code: 1, err: expect.stringContaining('User "dev" cannot impersonate resource "users" in API group "" at the cluster scope') })
  })

  test('auth can-i --list tells every rule', async () => {
    const { out } = await kubectl('--context=dev auth can-i --list')
    expect(out).toMatch(/Resources +Non-Resource URLs +Resource Names +Verbs/)
    expect(out).toMatch(/pods +\[\] +\[\] +\[get list watch\]/)
    expect(out).toMatch(/selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]/)
    expect((await kubectl('auth can-i --list')).out).toMatch(/\*\.\* +\[\] +\[\] +\[\*\]/)
  })

  test('what is forbidden is told in words', async () => {
    expect(await kubectl('--context=dev delete pod p')).toMatchObject({
      code: 1,
      err: 'Error from server (Forbidden): pods "p" is forbidden: User "dev" cannot delete resource "pods" in API group "" in the namespace "default"\n',
    })
    expect((await kubectl('--context=dev get nodes')).err).toMatch(/nodes is forbidden: User "dev" cannot list resource "nodes" in API group "" at the cluster scope/)
    expect((await kubectl('--context=dev apply -f -', config('mine'))).err).toMatch(/configmaps is forbidden: User "dev" cannot create resource "configmaps"/)
    expect((await kubectl('--context=nobody get pods')).err).toMatch(/You must be logged in to the server/)
  })

  test('create token gives a token that works, with its audience, its time and what it is bound to', async () => {
    expect((await kubectl('create serviceaccount robot')).code).toBe(0)
    const made = await kubectl('create token robot --duration=10m')
    expect([made.err, made.code]).toEqual(['', 0])
    const token = made.out.trim()
    expect((await kubectl(`--token=${token} --context=nobody auth whoami -o jsonpath={.status.userInfo.username}`)).out).toBe('system:serviceaccount:default:robot')
    expect((await kubectl('create rolebinding robot --clusterrole=edit --serviceaccount=default:robot')).code).toBe(0)
    expect((await kubectl('auth can-i create pods --as=system:serviceaccount:default:robot')).out).toBe('yes\n')
    await kubectl('create secret generic holder')
    const bound = await kubectl('create token robot --bound-object-kind=Secret --bound-object-name=holder --audience=vault -o json')
    expect(bound.out).toMatch(/"audiences": \[\s+"vault"\s+\]/)
    expect((await kubectl('create token robot --duration=1m')).err).toMatch(/may not specify a duration less than 10 minutes/)
    expect((await kubectl('create token nobody')).err).toMatch(/serviceaccounts "nobody" not found/)
    await kubectl('delete serviceaccount robot')
    expect((await kubectl(`--token=${token} --context=nobody get pods`)).err).toMatch(/You must be logged in to the server/)
  })

  test('a policy denies at apply, in a dry run and in diff, and warns', async () => {
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] }]
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'owned' },
      spec: { matchConstraints: { resourceRules: rules }, validations: [{ expression: "'owner' in object.data", message: 'every ConfigMap has an owner' }] },
    }
    const binding = { apiVersion: policy.apiVersion, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'owned-here' }, spec: { policyName: 'owned', validationActions: ['Deny'] } }
    expect((await kubectl('apply -f -', `${JSON.stringify(policy)}\n${JSON.stringify(binding)}`)).out).toMatch(/created\n.*created\n/)
    const words = "ValidatingAdmissionPolicy 'owned' with binding 'owned-here' denied request: every ConfigMap has an owner"
    const refused = await kubectl('apply -f -', config('bad', { a: 'b' }))
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(words)])
    expect((await kubectl('apply --server-side --dry-run=server -f -', config('bad', { a: 'b' }))).err).toContain(words)
    expect((await kubectl('diff -f -', config('bad', { a: 'b' }))).err).toContain(words)
    expect((await kubectl('apply -f -', config('good', { owner: 'me' }))).out).toBe('configmap/good created\n')
    await kubectl('patch validatingadmissionpolicybinding owned-here --type=merge -p {"spec":{"validationActions":["Warn"]}}')
    const warned = await kubectl('apply -f -', config('bad', { a: 'b' }))
    expect([warned.out, warned.err]).toEqual(['configmap/bad created\n', "Warning: Validation failed for ValidatingAdmissionPolicy 'owned' with binding 'owned-here': every ConfigMap has an owner\n"])
    await kubectl('delete validatingadmissionpolicy,validatingadmissionpolicybinding --all')
  })

  test('what a mutating webhook puts in is seen, and belongs to no manager', async () => {
    hook.answer = () => patching([{ op: 'add', path: '/data/injected', value: 'by-the-webhook' }])
    const webhook = {
      name: 'inject.example.dev',
      clientConfig: { url: `${hook.url}/mutate`, caBundle: hook.caBundle },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    }
    const configuration = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', metadata: { name: 'inject' }, webhooks: [webhook] }
    expect((await kubectl('apply -f -', JSON.stringify(configuration))).code).toBe(0)
    expect((await kubectl('apply --server-side -f -', config('injected', { mine: 'x' }))).code).toBe(0)
    const { out } = await kubectl('get configmap injected --show-managed-fields -o json')
    const { data, metadata } = JSON.parse(out) as { data: object; metadata: { managedFields: object[] } }
    expect(data).toEqual({ mine: 'x', injected: 'by-the-webhook' })
    expect(metadata.managedFields).toMatchObject([{ manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:data': { 'f:mine': {} } } }])
    expect(JSON.stringify(metadata.managedFields)).not.toContain('f:injected')
    hook.answer = () => ({ response: { allowed: false, status: { message: 'not today' } } })
    expect((await kubectl('apply -f -', config('refused'))).err).toMatch(/admission webhook "inject\.example\.dev" denied the request: not today/)
  })
})
