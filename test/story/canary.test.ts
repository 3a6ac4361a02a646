import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routes } from '#api/routes.ts'
import { systemClock } from '#lib/clock.ts'
import { startControlPlane } from '../../src/control-plane.ts'
import { eventually } from '../eventually.ts'
import { standBetween } from '../standing-between.ts'
import { canaries, careless, carelessApplication, carelessDatabase, carelessForge, formsOf } from './canaries.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

const secrets = '  secrets: [{ name: app, namespace: default, keys: { password: { secretRef: "env:MODULE" }, url: { secretRef: "env:DATABASE" } } }]\n'
const probe = (name: string, rule: string): string => `    - { name: ${name}, http: { address: app, ${rule} }, within: 1ms, every: 1ms }\n`

describe('secrets leave by no sink', () => {
  let shop: SmallShop
  /** What came out, by sink. */
  const sinks = new Map<string, string>()
  const undo: (() => unknown)[] = []
  let welcome = true

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plumbline-canary-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    const [application, database] = [await carelessApplication(), await carelessDatabase()]
    let forge = { port: 0 }
    undo.push(application.stop, database.stop)
    shop = await openSmallShop({
      env: { MODULE: canaries.module, GIT: canaries.git, DATABASE: `postgres://probe:${encodeURIComponent(canaries.database)}@127.0.0.1:${database.port}/shop` },
      environment: `  addresses: { app: "127.0.0.1:${application.port}" }\n  targets: { cluster: { kubernetes: { context: dev } }, db: { postgres: { url: { secretRef: "env:DATABASE" } } } }\n`,
      files: {
        'app/module.yaml': moduleFile('app', `${secrets}  probes:\n${probe('answers', 'json: { path: $.plain }')}`),
        'app/manifests/map.yaml': configMap('app'),
        'plain/module.yaml': moduleFile('plain', '  plainSecrets: true\n'),
        'plain/manifests/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata: { name: plain, namespace: default }\ndata: { a: ${Buffer.from(canaries.plain).toString('base64')} }\n`,
      },
      between: (cluster) => {
        canaries.cluster = cluster.adminToken
        // A webhook and an API server that repeat what they were sent, who sent it, and what they know.
        return standBetween(cluster, ({ method, path, body, headers }) => {
          if (method !== 'PATCH') return undefined
          const said = `${careless(canaries.module, canaries.plain, canaries.database)} ${body} ${headers.authorization ?? ''}`
          if (path.includes('/bad')) return { status: 422, body: { kind: 'Status', status: 'Failure', reason: 'Invalid', code: 422, message: `denied: ${said}`, details: { causes: [{ reason: 'FieldValueInvalid', field: 'data', message: said }] } } }
          if (path.includes('/secrets/worse')) return { status: 403, body: { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message: said } }
          return { headers: { warning: `299 - ${JSON.stringify(encodeURIComponent(canaries.module))}` } }
        })
      },
    })
    undo.push(() => shop.stop())
    const origin = shop.fixture.repository('private')
    origin.commit({ 'README.md': 'hello' })
    origin.run('update-server-info')
    const served = await carelessForge(shop.fixture.folder, () => welcome)
    forge = served
    undo.push(served.stop)
    await listen()
    await succeeds(forge.port)
    await fails()
    await look()
  }, 60_000)
  afterAll(async () => {
    for (const step of undo.toReversed()) await step()
  })

  /** Server-sent events, from the first on. */
  async function listen(): Promise<void> {
    const stopping = new AbortController()
    undo.push(() => stopping.abort())
    const answer = await fetch(`${shop.plane.url}/v1/events?after=0`, { headers: { authorization: `Bearer ${shop.plane.token}` }, signal: stopping.signal })
    const read = async (): Promise<void> => {
      for await (const chunk of answer.body ?? []) sinks.set('events', `${sinks.get('events') ?? ''}${Buffer.from(chunk as Uint8Array).toString()}`)
    }
    read().catch(() => {})
  }

  async function plumb(...argv: string[]): Promise<void> {
    const { code, out, err } = await shop.plumb(...argv)
    sinks.set(`plumb ${argv.join(' ')}`, `${code}\n${out}\n${err}`)
  }

  async function succeeds(port: number): Promise<void> {
    const workspace = `apiVersion: plumbline.dev/v1alpha1\nkind: Workspace\nmetadata: { name: shop }\nspec:\n  repositories:\n    shop: { url: ., allow: everything, poll: 1h }\n    private: { url: "http://127.0.0.1:${port}/private.git", poll: 1h, credentials: { token: { secretRef: "env:GIT" } } }\n`
    await shop.push({ 'plumbline.yaml': workspace })
    await shop.until('both repositories are read, and all is delivered and verified', async () => {
      const { repositories, environments } = await shop.client.status()
      const modules = environments[0]?.modules ?? []
      return repositories.length === 2 && repositories.every((one) => one.head !== null) && modules.length === 2 && modules.every((one) => one.delivery === 'synced' && one.verification === 'passed')
    })
    await plumb('plan', '-e', 'dev')
    await plumb('show', 'latest', '-m', 'app', '-e', 'dev')
  }

  async function fails(): Promise<void> {
    welcome = false
    await shop.look('private')
    const commit = await shop.push({
      'app/module.yaml': moduleFile('app', `${secrets}  probes:\n${probe('json', 'json: { path: $.plain, equals: "ok" }')}${probe('said', 'json: { path: $.said, equals: "ok" }')}${probe('header', 'header: { name: x-debug, equals: "ok" }')}    - { name: database, sql: { target: db, query: "select 1" }, within: 1ms, every: 1ms }\n`),
      'bad/module.yaml': moduleFile('bad'),
      'bad/manifests/map.yaml': configMap('bad'),
      'worse/module.yaml': moduleFile('worse', secrets.replace('name: app', 'name: worse')),
      'worse/manifests/map.yaml': configMap('worse'),
    })
    expect(await shop.settled(commit)).toMatchObject({ state: 'failed' })
    await shop.until('the forge has refused us', async () => (await shop.client.status()).repositories.some((one) => one.name === 'private' && one.failure !== null))
    await plumb('verify', '-e', 'dev', '-m', 'app')
    for (const command of [['status'], ['runs'], ['show', 'latest', '-e', 'dev'], ['plan', '-e', 'dev'], ['record', 'verify'], ['record', 'export', '--out', 'exported']]) {
      await plumb(...command)
      await plumb(...command, '--json')
    }
  }

  /** Every answer of every route that reads, the log, the records, the rows of the store and its files. */
  async function look(): Promise<void> {
    const { runs } = await shop.client.runs({ environment: 'dev' })
    const read = routes.filter((route) => route.method === 'get').map((route) => route.path)
    for (const path of ['/healthz', '/openapi.json', ...read].flatMap((one) => (one.includes('{run}') ? runs.map((run) => one.replace('{run}', run.id)) : [one]))) {
      const answer = await fetch(shop.plane.url + path.replaceAll('{environment}', 'dev').replaceAll(/\{\w+\}/g, 'app'), { headers: { authorization: `Bearer ${shop.plane.token}` } })
      sinks.set(`GET ${path}`, await answer.text())
    }
    sinks.set('log', shop.log.join('\n'))
    sinks.set('exported records', readAll(join(shop.dir, 'exported'), () => true))
    const { sql } = shop.plane.parts
    const tables = await sql.query<{ name: string }>("select table_name as name from information_schema.tables where table_schema = 'public'")
    for (const { name } of tables) sinks.set(`table ${name}`, JSON.stringify(await sql.query(`select to_jsonb(one) as row from "${name}" one`)))
    await eventually(() => sinks.get('events')?.includes('"kind":"record"'))
    await shop.plane.stop()
    sinks.set('files', readAll(shop.dir, (path) => !/^(cluster|kubeconfig|mirrors|token)\b/.test(path)))
  }

  function readAll(folder: string, wanted: (path: string) => boolean): string {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
    return files.filter((file) => wanted(file.slice(folder.length + 1))).map((file) => readFileSync(file).toString('latin1')).join('\n')
  }

  test('none is in any of them', () => {
    expect(sinks.size).toBeGreaterThan(30)
    const found = [...sinks].flatMap(([sink, text]) => Object.entries(canaries).flatMap(([name, canary]) => formsOf(canary).filter((form) => text.includes(form) || text.includes(Buffer.from(form).toString('latin1'))).map((form) => `${name} in ${sink}: ${context(text, form)}`)))
    expect(found).toEqual([])
  })

  test.each(['[secret env:MODULE]', '[secret env:DATABASE]', '[secret of plain: Secret default/plain#a]', '[secret of context dev]', 'you sent Basic [redacted]'])('what was to be seen is said by its name: %s', (name) => {
    const told = [...sinks].filter(([, text]) => text.includes(name)).map(([sink]) => sink)
    const wanted = name.includes('sent') ? ['log', 'GET /v1/status', 'plumb status', 'table repository'] : ['GET /v1/status', 'GET /v1/records', 'plumb status', 'exported records', 'table run_module', 'table effect', 'table record', 'files']
    expect(told).toEqual(expect.arrayContaining(wanted))
  })

  test('the last words of a control plane that does not start have none of its own', async () => {
    const url = `postgres://plumb:${encodeURIComponent(canaries.database)}@127.0.0.1:1/none`
    const dir = mkdtempSync(join(tmpdir(), 'plumbline-canary-'))
    undo.push(() => rmSync(dir, { recursive: true, force: true }))
    const started = startControlPlane({ dir, databaseUrl: url, workspace: { url: shop.repository.path, branch: 'main' }, kubeconfig: join(shop.dir, 'kubeconfig'), host: '127.0.0.1', port: 0, clock: systemClock, env: {}, log: () => {} })
    const error: unknown = await started.catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store-unavailable' })
    expect(formsOf(canaries.database).filter((form) => inspect(error, { depth: 10, showHidden: true }).includes(form))).toEqual([])
  })
})

function context(text: string, form: string): string {
  const at = text.indexOf(form)
  return text.slice(Math.max(0, at - 60), at + form.length + 20)
}
