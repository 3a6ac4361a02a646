import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client as Postgres } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ShowAnswer } from '#api/client.ts'
import { isEnded } from '#model/run.ts'
import { postgresMissing, startPostgres } from '../postgres.ts'
import { configMap, moduleFile, openSmallShop } from './small-shop.ts'
import type { SmallShop } from './small-shop.ts'

// What is done by hand otherwise, as steps that are gated, carried out once, and recorded.

const missing = postgresMissing()
const operation = (name: string, spec: string): string => `apiVersion: plumbline.dev/v1alpha1\nkind: Operation\nmetadata: { name: ${name} }\nspec:\n  about: Rehearses the ${name}.\n  environments: [dev]\n${spec}`
const holds = (name: string, cel: string): string => `{ name: ${name}, within: 100ms, every: 20ms, kubernetes: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, cel: '${cel}' } }`

describe.skipIf(missing !== undefined)(`operations${missing === undefined ? '' : ` (${missing})`}`, () => {
  let dir: string
  let database: Awaited<ReturnType<typeof startPostgres>>
  let admin: Postgres
  let shop: SmallShop
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumbline-operation-'))
    database = await startPostgres()
    admin = new Postgres({ connectionString: database.url })
    await admin.connect()
    await admin.query('create table done (what text)')
    const drill = operation('drill', `  pre:
    - ${holds('is-there', 'object.data.a == "1"')}
  steps:
    - { name: look, probe: ${holds('looked', 'object.metadata.name == "web"')} }
    - { name: write, sql: { target: db, statement: "insert into done values ('\${environment}')" } }
    - { name: mark, command: { target: here, run: mark } }
    - { name: label, patch: { target: cluster, apiVersion: v1, kind: ConfigMap, namespace: default, name: web, fields: { metadata: { annotations: { drill: "\${run}" } } } } }
    - { name: breathe, wait: { for: 50ms } }
    - { name: ask, approval: { message: Does it look right? } }
    - { name: after, sql: { target: db, statement: "insert into done values ('after')" } }
  post:
    - ${holds('is-labelled', 'object.metadata.annotations.drill.startsWith("run-")')}
`)
    shop = await openSmallShop({
      env: { OPERATIONS_DB: database.url },
      files: {
        'web/module.yaml': moduleFile('web'), 'web/manifests/web.yaml': configMap('web', '1'),
        'operations/drill.yaml': drill,
        'operations/failing.yaml': operation('failing', `  pre:\n    - ${holds('is-two', 'object.data.a == "2"')}\n  steps:\n    - { name: write, sql: { target: db, statement: "insert into done values ('never')" } }\n`),
        'operations/wrong.yaml': operation('wrong', `  steps:\n    - { name: none, sql: { target: db, statement: "insert into nothing values (1)" } }\n    - { name: write, sql: { target: db, statement: "insert into done values ('never')" } }\n`),
      },
      environment: `  targets:\n    cluster: { kubernetes: { context: dev } }\n    db: { postgres: { url: { secretRef: "env:OPERATIONS_DB" } } }\n    here: { host: { commands: { mark: { argv: [/bin/sh, -c, "echo marked >> ${join(dir, 'mark')}"] } } } }\n  review: { approvals: 1, notTheAuthor: false }\n`,
    })
    // The first delivery waits for its approval, like everything here.
    const first = await shop.until('the first run waits', async () => (await shop.client.runs({ environment: 'dev' })).runs.find((run) => run.state === 'waiting'))
    await approve(first)
    await shop.until('web is there', async () => ((await shop.module('web'))?.delivery === 'synced' ? true : undefined))
  })
  afterAll(async () => {
    await shop?.stop()
    await admin?.end()
    await database?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const approve = (run: ShowAnswer) => shop.client.approve(run.id, { plan: run.plan?.digest ?? '', reason: 'as it should', objects: [] })
  const start = async (name: string, from: string | null = null): Promise<string> => (await shop.client.operate('dev', name, { from, reason: 'a drill' })).run ?? ''
  const waits = (id: string, code: string) => shop.until(`${id} waits for ${code}`, async () => {
    const run = await shop.client.show(id)
    return run.state === 'waiting' && run.waiting.some((one) => one.code === code) ? run : undefined
  })
  const ended = (id: string) => shop.until(`${id} has ended`, async () => {
    const run = await shop.client.show(id)
    return isEnded(run.state) ? run : undefined
  })
  const done = async (): Promise<string[]> => (await admin.query<{ what: string }>('select what from done')).rows.map(({ what }) => what)
  const steps = (run: ShowAnswer): string[] => (run.operation?.steps ?? []).map(({ name, state }) => `${name} ${state}`)

  test('its steps are gated, carried out in order, ask a person where they say so, and are on the record', async () => {
    const id = await start('drill')
    expect(await done()).toEqual([])
    const gated = await waits(id, 'review.approvals')
    expect(gated.waiting.find(({ code }) => code === 'review.approvals')?.message).toContain("operation drill: look (probe kubernetes looked); write (sql on db: insert into done values ('dev')); mark (command")
    expect((await shop.plumb('show', id)).out).not.toContain('nothing to do')
    await approve(gated)
    const asking = await waits(id, 'operation.approval')
    expect(asking.waiting).toMatchObject([{ message: 'Step ask: Does it look right?', waitingFor: 'approval' }])
    expect(await done()).toEqual(['dev'])
    expect(steps(asking)).toEqual(['pre done', 'look done', 'write done', 'mark done', 'label done', 'breathe done', 'ask waiting', 'after pending', 'post pending'])
    // The yes to the whole is none to the step.
    await expect(shop.client.operate('dev', 'drill', { from: null, reason: 'again' })).rejects.toMatchObject({ code: 'operation-under-way' })
    await approve(asking)
    const run = await ended(id)
    expect(run).toMatchObject({ kind: 'operation', state: 'succeeded', actor: 'admin', reason: 'a drill', record: { digest: expect.any(String) }, operation: { name: 'drill', from: null, slot: null } })
    expect(steps(run).every((one) => one.endsWith(' done'))).toBe(true)
    expect(run.operation?.steps.find(({ name }) => name === 'label')?.message).toContain(`metadata.annotations.drill: nothing -> "${id}"`)
    expect(run.operation?.steps.find(({ name }) => name === 'ask')?.message).toBe('admin says yes: as it should')
    expect(await done()).toEqual(['dev', 'after'])
    expect(readFileSync(join(dir, 'mark'), 'utf8')).toBe('marked\n')
    const shown = await shop.plumb('show', id)
    expect(shown.out).toMatch(/done {5}write {2}sql/)
    const { chains } = await shop.client.exportRecords({ environment: 'dev' })
    const record = (chains[0]?.records ?? []).map((text) => JSON.parse(text) as { predicate: { run?: string; operation?: { steps: { name: string; state: string }[] } } }).find(({ predicate }) => predicate.run === id)
    expect(record?.predicate.operation?.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(steps(run))
    expect(await shop.plumb('record', 'verify')).toMatchObject({ code: 0 })
  })

  test('conditions that do not hold stop it before anything is done', async () => {
    const id = await start('failing')
    await approve(await waits(id, 'review.approvals'))
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'condition-failed', subject: 'the conditions in `pre`', message: expect.stringContaining('is-two failed') } })
    expect(steps(run)).toEqual(['pre failed', 'write pending'])
    expect(await done()).not.toContain('never')
  })

  test('a step that fails ends it: what the database itself says is known', async () => {
    const id = await start('wrong')
    await approve(await waits(id, 'review.approvals'))
    const run = await ended(id)
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'sql-failed', subject: 'step none', message: expect.stringContaining('nothing') } })
    expect(steps(run)).toEqual(['none failed', 'write pending'])
  })

  test('a step that was begun when the process died is not begun again: a person says where to go on', async () => {
    const id = await start('drill')
    await approve(await waits(id, 'review.approvals'))
    const asking = await waits(id, 'operation.approval')
    // As a crash leaves it that came right after the journal was written.
    await shop.plane.parts.sql.query(`update operation_step set state = 'started' where run = $1 and name = 'after'`, [id])
    const before = await done()
    await approve(asking)
    expect(await ended(id)).toMatchObject({ state: 'interrupted', failure: { code: 'operation-interrupted', subject: 'step after', hint: expect.stringContaining('--from after') } })
    expect(await done()).toEqual(before)
    const refused = await shop.plumb('operate', 'drill', '--reason', 'again')
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('stopped in the middle of a step') })
    expect(await shop.plumb('operate', 'drill', '--from', 'nowhere', '--reason', 'x')).toMatchObject({ code: 2, err: expect.stringContaining('it has no step nowhere') })
    const again = await start('drill', 'after')
    await approve(await waits(again, 'review.approvals'))
    const run = await ended(again)
    expect(run.state).toBe('succeeded')
    expect(steps(run)).toEqual(['pre skipped', 'look skipped', 'write skipped', 'mark skipped', 'label skipped', 'breathe skipped', 'ask skipped', 'after done', 'post done'])
    expect(await done()).toEqual([...before, 'after'])
  })

  test('one that waits for a person can be cancelled, and goes no further', async () => {
    const id = await start('drill')
    await approve(await waits(id, 'review.approvals'))
    await waits(id, 'operation.approval')
    const before = await done()
    await shop.client.cancel(id, { reason: 'enough' })
    expect(await ended(id)).toMatchObject({ state: 'cancelled', record: { digest: expect.any(String) } })
    expect(await done()).toEqual(before)
  })

  test('they are listed, and what there is not is told', async () => {
    expect((await shop.client.operations({})).operations.map(({ name, last }) => `${name} ${last?.state}`)).toEqual(['drill cancelled', 'failing failed', 'wrong failed'])
    expect((await shop.plumb('operations')).out).toContain('Rehearses the drill.')
    await expect(shop.client.operate('dev', 'nothing', { from: null, reason: 'x' })).rejects.toMatchObject({ code: 'operation-unknown' })
    expect(existsSync(join(dir, 'mark'))).toBe(true)
  })
})
