import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isEnded } from '#model/run.ts'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { openCrashShop } from './crash-shop.ts'
import type { CrashShop } from './crash-shop.ts'
import type { Child } from '../child.ts'

const configMap = (name: string, value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: default }\ndata: { a: "${value}" }\n`
const module = (name: string) => `apiVersion: plumbline.dev/v1alpha1\nkind: Module\nmetadata: { name: ${name} }\nspec: { target: cluster, source: { path: manifests } }\n`
const modules = ['toys', 'games', 'books']
const missing = postgresMissing()

describe.skipIf(missing !== undefined)(`two control planes on one PostgreSQL${missing === undefined ? '' : ` (${missing})`}`, () => {
  let shop: CrashShop
  let database: { url: string; stop: () => Promise<void> }
  let first: Child
  let second: Child
  const ended = (commit: string) => shop.run(commit, (run) => isEnded(run.state))
  const query = async <T>(text: string): Promise<T[]> => {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    return client.query(text).then(({ rows }) => rows as T[]).finally(() => client.end())
  }

  beforeAll(async () => {
    database = await startPostgres()
    shop = await openCrashShop({ databaseUrl: database.url, leaseMs: 1500 })
    first = await shop.start('first')
    second = await shop.start('second')
    await shop.until('the environment is known', async () => ((await shop.client().status()).environments.length === 1 ? true : undefined))
  })
  afterAll(async () => {
    await shop.stop()
    await database.stop()
  })

  test('commits that come fast: each is delivered, and no module has two runs at work', async () => {
    let commit = ''
    for (let round = 0; round < 6; round += 1) {
      const files = modules.flatMap((name) => [[`${name}/module.yaml`, module(name)], ...['a', 'b'].map((one) => [`${name}/manifests/${one}.yaml`, configMap(`${name}-${one}`, String(round))])])
      commit = await shop.push(Object.fromEntries(files), `Round ${round}`)
    }
    await shop.until('the last one is delivered', async () => {
      const status = await shop.client().status()
      const found = status.environments.find((one) => one.name === 'dev')?.modules ?? []
      const isSeen = status.repositories.some((one) => one.head === commit)
      return isSeen && found.length === modules.length && found.every((one) => one.delivery === 'synced' && one.snapshot === status.snapshot) ? true : undefined
    })
    // Begun before another run's effects on the same module had ended?
    const crossed = await query(
      `select a.run, b.run as other, a.module from (select run, module, min(started_at) as begun, max(ended_at) as done from effect where started_at is not null group by run, module) a
       join (select run, module, min(started_at) as begun, max(ended_at) as done from effect where started_at is not null group by run, module) b
         on a.module = b.module and a.run < b.run and a.begun < b.done and b.begun < a.done
       join run ra on ra.id = a.run join run rb on rb.id = b.run and ra.environment = rb.environment`,
    )
    expect(crossed).toEqual([])
    await shop.verify()
  })

  test('one that is stopped past its lease: the other carries its run on, and it does no more harm when it wakes', async () => {
    await first.kill()
    shop.cluster.inject({ times: 1, method: 'PATCH', path: '/configmaps/toys-a?', answer: 'hang' })
    const [before, other] = [shop.applies('toys-a'), shop.applies('toys-b')]
    const commit = await shop.push({ 'toys/manifests/a.yaml': configMap('toys-a', 'new'), 'toys/manifests/b.yaml': configMap('toys-b', 'new') }, 'While it sleeps')
    await shop.until('the apply is under way', async () => (shop.applies('toys-a') === before + 1 && shop.applies('toys-b') === other + 1 ? true : undefined))
    process.kill(second.pid, 'SIGSTOP')
    first = await shop.start('first')
    const run = await ended(commit)
    expect(run).toMatchObject({ state: 'succeeded' })
    expect([shop.applies('toys-a'), shop.applies('toys-b')]).toEqual([before + 2, other + 1]) // the one that hung did not happen
    process.kill(second.pid, 'SIGCONT')
    await shop.until('it has noticed', async () => (second.lines.some((line) => line === 'worker: lease-lost') ? true : undefined))
    expect([shop.applies('toys-a'), shop.applies('toys-b')]).toEqual([before + 2, other + 1])
    const { runs } = await shop.client().runs({ environment: 'dev', module: 'toys' })
    expect(runs.filter((one) => one.changes.some((change) => change.sha === commit))).toHaveLength(1)
    await shop.verify()

    // Both are good workers again.
    const next = await shop.push({ 'toys/manifests/a.yaml': configMap('toys-a', 'newer') }, 'Awake')
    expect(await ended(next)).toMatchObject({ state: 'succeeded' })
  })
})
