import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

/** What is done to a module of a team, what is said of it, and what a person is told to do. */
type Bad = { readonly what: string; readonly files: (folder: string) => Parameters<SourceRepository['commit']>[0]; readonly code: string; readonly subject: RegExp; readonly message: RegExp; readonly hint: RegExp }

const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((name, index) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[index]}`).join(',')}]`).join('\n')}\n`
const namespace = (name: string): string => `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`

/** Documents that stop what they are about before anything runs. */
const documents: readonly Bad[] = [
  { what: 'a module.yaml that is broken YAML', files: (at) => ({ [`${at}/module.yaml`]: `${moduleFile(at)}  probes: [\n` }), code: 'yaml-invalid', subject: /module\.yaml:\d+:\d+$/, message: /not valid YAML/, hint: /line and column/ },
  { what: 'a module.yaml that is an alias bomb', files: (at) => ({ [`${at}/module.yaml`]: bomb }), code: 'yaml-aliases', subject: /module\.yaml:\d+:\d+$/, message: /alias/, hint: /repeat/ },
  { what: 'the name of another module', files: (at) => ({ [`${at}/twin/module.yaml`]: moduleFile('base') }), code: 'module-duplicate', subject: /module\.yaml:\d+/, message: /shop\/base\/module\.yaml/, hint: /rename/ },
  { what: 'a dependency circle', files: (at) => ({ [`${at}/module.yaml`]: moduleFile(at, `  dependsOn: [${at}-x]\n`), [`${at}/x/module.yaml`]: moduleFile(`${at}-x`, `  dependsOn: [${at}]\n`) }), code: 'dependency-circle', subject: /module\.yaml:\d+/, message: /d-3 -> d-3-x -> d-3/, hint: /dependsOn/ },
  { what: 'an unknown field', files: (at) => ({ [`${at}/module.yaml`]: `${moduleFile(at)}  dependOn: []\n` }), code: 'configuration-invalid', subject: /module\.yaml:\d+:\d+$/, message: /dependOn/, hint: /dependsOn/ },
  { what: 'an unknown environment', files: (at) => ({ [`${at}/module.yaml`]: `${moduleFile(at)}  environments: [dev, deb]\n` }), code: 'configuration-invalid', subject: /module\.yaml:\d+:\d+$/, message: /deb/, hint: /dev/ },
  { what: 'an address that no environment lists', files: (at) => ({ [`${at}/module.yaml`]: `${moduleFile(at)}  probes: [{ name: page, http: { address: backdoor } }]\n` }), code: 'configuration-invalid', subject: /module\.yaml:\d+:\d+$/, message: /backdoor/, hint: /add this one/ },
  { what: 'an unknown target', files: (at) => ({ [`${at}/module.yaml`]: moduleFile(at).replace('target: cluster', 'target: clustr') }), code: 'configuration-invalid', subject: /module\.yaml:\d+:\d+$/, message: /clustr/, hint: /cluster/ },
]

const manifest = (text: SourceFile) => (at: string) => ({ [`${at}/manifests/x.yaml`]: text })
type SourceFile = Parameters<SourceRepository['commit']>[0][string]

/** What fails in the run, each in its own module. */
const manifests: readonly Bad[] = [
  { what: 'broken YAML', files: manifest('a: [1,\n  b: }'), code: 'yaml-invalid', subject: /x\.yaml:\d+:\d+$/, message: /not valid YAML/, hint: /line and column/ },
  { what: 'an alias bomb', files: manifest(bomb), code: 'yaml-aliases', subject: /x\.yaml:\d+:\d+$/, message: /alias/, hint: /repeat/ },
  // 50 MB are no other, and take their time: `model/config/load.test.ts` and `source/reader.test.ts` have them.
  { what: 'a file that is too large', files: manifest(Buffer.alloc(9_000_000, 'x')), code: 'file-too-large', subject: /x\.yaml/, message: /9000000 bytes/, hint: /large files/ },
  { what: 'a Kustomize base that is missing', files: (at) => ({ [`${at}/manifests/kustomization.yaml`]: 'resources: [../nowhere]\n' }), code: 'kustomize-base-missing', subject: /kustomization\.yaml/, message: /nowhere/, hint: /relative/ },
  { what: 'a symbolic link that leaves the repository', files: manifest({ link: '../../../../etc/passwd' }), code: 'path-outside-repository', subject: /x\.yaml/, message: /symbolic link .* leaves/, hint: /repository itself/ },
  { what: 'what its repository may not reach', files: manifest(`${configMap('x', '1', 'default')}---\n${namespace('more')}`), code: 'gate-refused', subject: /^limits$/, message: /kind Namespace is not listed.*the namespace default is not listed/, hint: /plumbline\.yaml/ },
  // Some of the files cannot be read, so that the name may be there: that is the module's own trouble, when it is its turn.
  { what: 'an unknown dependency', files: (at) => ({ [`${at}/module.yaml`]: `${moduleFile(at)}  dependsOn: [bas]\n` }), code: 'dependency-unknown', subject: /^m-/, message: /depends on bas/, hint: /base/ },
  { what: 'an object that another module declares', files: manifest(configMap('shared', '2', 'team')), code: 'object-declared-twice', subject: /ConfigMap team\/shared/, message: /by base \(shop: base\/manifests\/all\.yaml:\d+\)/, hint: /one module/ },
  { what: 'a manifest that the server refuses', files: manifest('apiVersion: v1\nkind: Service\nmetadata: { name: x, namespace: team }\nspec: { ports: [{ port: 99999999 }] }\n'), code: 'kubernetes-refused', subject: /Service team\/x/, message: /port/, hint: /Correct the manifest/ },
  { what: 'a kind without its definition', files: manifest('apiVersion: toys.example/v1\nkind: Toy\nmetadata: { name: x, namespace: team }\n'), code: 'kind-unknown', subject: /Toy team\/x/, message: /toys\.example\/v1 Toy is not served/, hint: /CustomResourceDefinition/ },
]

describe('bad input is said, with what to do next, and nothing is lost', () => {
  let shop: SmallShop
  let team: SourceRepository
  let before: string
  let run: ShowAnswer
  const all = new Map([...documents.map((bad, index) => [`d-${index}`, bad] as const), ...manifests.map((bad, index) => [`m-${index}`, bad] as const)])
  const told = (sort: string) => [...all].filter(([name]) => name.startsWith(sort)).map(([name, bad]) => [bad.what, name, bad] as const)
  const good = Object.fromEntries([...all.keys(), 'app'].flatMap((name) => [[`${name}/module.yaml`, moduleFile(name)], [`${name}/manifests/map.yaml`, configMap(name, '1', 'team')]]))

  beforeAll(async () => {
    shop = await openSmallShop({
      // A sandbox takes back what somebody changed by hand: here a person is to be asked.
      environment: '  targets: { cluster: { kubernetes: { context: dev } } }\n  drift: { manual: report, controller: report, missing: report, unknown: report }\n',
      repositories: '    team: { url: ../team.git, poll: 1h, allow: { environments: ["*"], targets: [cluster], namespaces: [team, "t-*"], kinds: namespaced } }\n',
      files: { 'base/module.yaml': moduleFile('base'), 'base/manifests/all.yaml': configMap('shared', '1', 'team') },
      namespaces: ['team', 't-leaving'],
      prepare: (fixture) => void (team = fixture.repository('team')).commit(good),
    })
    await delivered()
    before = await kept()
    // Everything at once: each stops itself, and nothing else.
    const broken = await push(Object.assign({ 'app/manifests/map.yaml': configMap('app', '2', 'team') }, ...[...all].map(([name, bad]) => bad.files(name))))
    run = await shop.settled(broken)
  })
  afterAll(() => shop.stop())

  /** What the team pushes: the good files and these. */
  async function push(files: ReturnType<Bad['files']>): Promise<string> {
    const sha = team.commit({ ...good, ...files })
    await shop.look('team')
    return sha
  }
  async function delivered(): Promise<void> {
    await shop.until('all is delivered and verified', async () => {
      const { problems, environments } = await shop.client.status()
      const modules = environments[0]?.modules ?? []
      return problems.length === 0 && modules.length === all.size + 2 && modules.every((one) => one.delivery === 'synced' && one.verification === 'passed')
    })
  }
  /** What the store holds of objects; it must stay as it is, whatever comes. */
  const kept = async (): Promise<string> => (await shop.plane.parts.sql.query<{ row: string }>("select concat_ws(' ', module, key, uid) as row from inventory order by 1")).map((one) => one.row).join('\n')
  async function expectSaid({ code, subject, message, hint }: Omit<Bad, 'what' | 'files'>, said: FailureJson | undefined, ...asked: string[]): Promise<void> {
    expect(said).toMatchObject({ code, subject: expect.stringMatching(subject), message: expect.stringMatching(message), hint: expect.stringMatching(hint) })
    const { out } = await shop.plumb(...asked)
    expect(out).toContain(`${code}: ${said?.subject}: `)
    expect(out).toContain(said?.hint)
  }
  const stepOf = (one: ShowAnswer, name: string): FailureJson | undefined => one.steps.find((step) => step.module === name)?.failure as FailureJson | undefined
  const failed = (module: string, sha: string): Promise<ShowAnswer> =>
    shop.until('its run has failed', async () => (await shop.client.runs({ environment: 'dev' })).runs.find((one) => one.state === 'failed' && one.changes.some((change) => change.sha === sha) && stepOf(one, module) !== undefined))

  test.each(told('d'))('%s', async (_, name, bad) => {
    const said = (await shop.client.status()).problems.find((one) => one.code === bad.code && one.subject.startsWith(`team/${name}/`))
    await expectSaid(bad, said as FailureJson, 'status')
    // It is where it was, and says why it goes nowhere: of a file that cannot be read nobody knows which module it was.
    const code = bad.code.startsWith('yaml') ? 'yaml-invalid' : bad.code
    const stands = bad.code === 'module-duplicate' ? { delivery: 'synced' } : { delivery: 'behind', failure: { code } }
    expect(await shop.module(name)).toMatchObject({ ...stands, verification: 'passed' })
  })

  test.each(told('m'))('%s', async (_, name, bad) => {
    await expectSaid(bad, stepOf(run, name), 'show', run.id)
    expect(await shop.module(name)).toMatchObject({ delivery: 'failed', run: run.id, failure: { code: bad.code } })
  })

  test('none of that stopped anybody else, and the inventory has everything still', async () => {
    expect(run).toMatchObject({ state: 'failed', record: { digest: expect.stringMatching(/^sha256:/) } })
    for (const name of ['app', 'base']) expect(await shop.module(name)).toMatchObject({ delivery: 'synced', verification: 'passed', failure: null })
    expect(await shop.kubernetes('GET', '/api/v1/namespaces/team/configmaps/app')).toMatchObject({ data: { a: '2' } })
    expect(await kept()).toEqual(before)
    await push({})
    await delivered()
    expect(await kept()).toEqual(before)
  })

  test('a repository whose tree unfolds to too much stands still, and says so; every other is delivered on', async () => {
    // A few small trees that name each other, as only whoever writes Git objects by hand makes them.
    const object = (type: string, bytes: Buffer | string): string => {
      const file = join(shop.dir, 'object')
      writeFileSync(file, bytes)
      return team.run('hash-object', '-t', type, '-w', file)
    }
    let [mode, id] = ['100644', object('blob', 'x')]
    for (let depth = 0; depth < 6; depth += 1) {
      id = object('tree', Buffer.concat(Array.from({ length: 10 }, (_, index) => [Buffer.from(`${mode} ${index}\0`), Buffer.from(id, 'hex')]).flat()))
      mode = '40000'
    }
    team.run('update-ref', 'refs/heads/main', team.run('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit-tree', id, '-m', 'x'))
    await shop.look('team')
    const bad = { code: 'tree-too-large', subject: /^team/, message: /more than 200000 files .* in repository team/, hint: /smaller folder/ }
    const told = await shop.until('it is said', async () => (await shop.client.status()).problems.find(({ code }) => code === bad.code))
    await expectSaid(bad, told as FailureJson, 'status')
    expect(await shop.module('app')).toMatchObject({ delivery: 'behind', verification: 'passed', failure: { code: 'tree-too-large' } })
    const sha = await shop.push({ 'base/manifests/all.yaml': configMap('shared', '3', 'team') })
    expect(await shop.settled(sha)).toMatchObject({ state: 'succeeded' })
    expect(await shop.kubernetes('GET', '/api/v1/namespaces/team/configmaps/shared')).toMatchObject({ data: { a: '3' } })
    expect(await kept()).toEqual(before)
    await push({})
    await delivered()
  })

  test('a field conflict: the run waits for a person, who is told of the other and the field; what is there stays', async () => {
    const theirs = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app', namespace: 'team' }, data: { a: '7' } })
    const patched = await shop.kubernetes('PATCH', '/api/v1/namespaces/team/configmaps/app?fieldManager=somebody&force=true', theirs)
    expect(patched).toMatchObject({ data: { a: '7' } })
    const waiting = await shop.settled(await push({ 'app/manifests/map.yaml': configMap('app', '2', 'team') }))
    expect(waiting).toMatchObject({ state: 'waiting', waiting: [{ code: 'contested', waitingFor: 'approval', message: expect.stringMatching(/data\.a of ConfigMap team\/app \(owned by somebody/), hint: expect.stringContaining('plumb approve') }] })
    expect(await shop.kubernetes('GET', '/api/v1/namespaces/team/configmaps/app')).toMatchObject({ data: { a: '7' } })
    expect(await kept()).toEqual(before)
    await shop.kubernetes('PATCH', '/api/v1/namespaces/team/configmaps/app?fieldManager=somebody&force=true', JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app', namespace: 'team' } }))
    await push({})
    await delivered()
  })

  test('a namespace that is being deleted: what cannot live there is said; what is there stays in the inventory', async () => {
    await shop.settled(await push({ 'app/manifests/x.yaml': configMap('x', '1', 't-leaving') }))
    const held = await kept()
    await shop.kubernetes('DELETE', '/api/v1/namespaces/t-leaving')
    const bad = { code: 'kubernetes-refused', subject: /ConfigMap t-leaving\/z/, message: /being terminated/, hint: /Wait until the namespace is gone/ }
    const left = await failed('app', await push({ 'app/manifests/x.yaml': configMap('x', '1', 't-leaving'), 'app/manifests/z.yaml': configMap('z', '1', 't-leaving') }))
    await expectSaid(bad, stepOf(left, 'app'), 'show', left.id)
    expect(await shop.module('app')).toMatchObject({ delivery: 'failed', failure: { code: 'kubernetes-refused', retry: 'later' } })
    expect(await kept()).toEqual(held)
    // A module that declares a namespace which goes is told of that one.
    const sha = await shop.push({ 'spare/module.yaml': moduleFile('spare', '  takeOver: true\n'), 'spare/manifests/all.yaml': namespace('t-leaving') })
    const refused = await failed('spare', sha)
    await expectSaid({ ...bad, code: 'object-terminating', subject: /Namespace t-leaving/, message: /being deleted/, hint: /finalizers/ }, stepOf(refused, 'spare'), 'show', refused.id)
  })
})
