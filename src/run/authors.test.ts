import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { snapshotOf } from '#model/snapshot.ts'
import { Fixture, never } from '#source/fixture.ts'
import type { SourceRepository } from '#source/fixture.ts'
import { openStore } from '#store/open.ts'
import { findSnapshot, saveSnapshot } from '#store/snapshots.ts'
import type { Store } from '#store/sql.ts'
import { saveStatus } from '#store/statuses.ts'
import type { StatusRow } from '#store/statuses.ts'
import { layEmptyStore } from '../../test/empty-store.ts'
import { emptyPlace } from '../../test/stores.ts'
import { authorsOf } from './authors.ts'
import type { Intents } from './render-run.ts'
import type { Work } from './work.ts'

const known = ['ada', 'bo', 'kim', 'pat'].map((name) => ({ name, emails: [`${name}@shop.example`], grants: [] }))
const workspace = { spec: { environments: 'environments/*.yaml', probeSets: 'probes/*.yaml' } }

let store: Store
let fixture: Fixture
let stop: () => Promise<void>
let repositories: Record<'platform' | 'orders', SourceRepository>
let mirrors: Work['parts']['repositories']

beforeAll(async () => {
  const at = await emptyPlace('pglite')
  if ('dir' in at.place) layEmptyStore(at.place.dir)
  stop = at.stop
  store = await openStore(at.place, systemClock)
  fixture = new Fixture()
  repositories = { platform: fixture.repository('platform'), orders: fixture.repository('orders') }
  const opened = new Map(Object.entries(repositories).map(([name, { path }]) => [name, fixture.mirror(path, { name })]))
  mirrors = { workspaceName: () => 'platform', names: () => ['platform', 'orders'], mirror: (name: string) => opened.get(name) } as unknown as typeof mirrors
})
afterAll(async () => {
  fixture?.[Symbol.dispose]()
  await store?.close()
  await stop?.()
})

/** One file of a repository is written by somebody, on top of what is there. */
function write(name: 'platform' | 'orders', author: string, file: string, from = 'refs/heads/main^0'): string {
  const { path, run } = repositories[name]
  const isFirst = run('for-each-ref', 'refs/heads/main') === ''
  const commit = `commit refs/heads/main\nauthor X <${author}@shop.example> 1790000000 +0000\ncommitter X <x@shop.example> 1790000000 +0000\ndata 0\n${isFirst ? '' : `from ${from}\n`}M 100644 inline ${file}\ndata ${author.length}\n${author}\n`
  execFileSync('git', ['--git-dir', path, 'fast-import', '--quiet', '--force'], { input: commit })
  return run('rev-parse', 'refs/heads/main')
}

/** The heads of now, as a snapshot. */
async function taken(): Promise<string> {
  for (const name of ['platform', 'orders']) await mirrors.mirror(name).fetch(never)
  const snapshot = snapshotOf({ platform: repositories.platform.run('rev-parse', 'main'), orders: repositories.orders.run('rev-parse', 'main') })
  await saveSnapshot(store, snapshot, 0)
  return snapshot.id
}

async function delivered(at: string): Promise<void> {
  await saveStatus(store, { environment: 'production', module: 'api', repository: 'orders', track: 'declarative', driver: 'kubernetes', target: 'cluster', delivery: 'synced', verification: 'passed', readinessOnly: true, intent: 'i', delivered: 'i', snapshot: at, snapshotSeq: 1, run: null, verifiedSince: null, failure: null, verifiedAt: null, staleAt: null, movedAt: null, movedWhy: null, updatedAt: 0 } satisfies StatusRow)
}

async function authors(at: string, asked: object = {}): Promise<string[]> {
  const snapshot = await findSnapshot(store, at)
  const work = {
    parts: { sql: store, repositories: mirrors }, snapshot,
    configuration: { workspace, modules: new Map([['api', { folder: 'api' }]]) },
    run: { kind: 'change', environment: 'production', changes: [], modules: { api: { intent: 'j', changed: true } }, startedBy: null, ...asked },
  } as unknown as Work
  const intents = { modules: new Map([['api', { repository: 'orders', config: { spec: { source: { path: 'overlays' } } } }]]) } as unknown as Intents
  return (await authorsOf(work, intents, known)).authors
}

test('everybody who wrote what a run delivers is an author of it', async () => {
  write('platform', 'pat', 'plumbline.yaml')
  write('orders', 'bo', 'api/module.yaml')
  write('orders', 'ada', 'other/module.yaml')
  const first = await taken()
  // Never delivered: whoever wrote in its folders, and the head.
  expect(await authors(first)).toEqual(['ada', 'bo'])

  await delivered(first)
  write('orders', 'kim', 'api/overlays/page.yaml')
  write('orders', 'ada', 'other/module.yaml')
  expect(await authors(await taken())).toEqual(['ada', 'kim'])

  // What the workspace says of it makes it, too; not what lies elsewhere there.
  await delivered(await taken())
  write('platform', 'bo', 'README.md')
  expect(await authors(await taken())).toEqual([])
  write('platform', 'pat', 'environments/production.yaml')
  expect(await authors(await taken())).toEqual(['pat'])
})

test('where the branch was rewritten, everybody who ever wrote to it is', async () => {
  await delivered(await taken())
  write('orders', 'kim', 'api/overlays/page.yaml', 'refs/heads/main~2')
  expect(await authors(await taken())).toEqual(['ada', 'bo', 'kim'])
})

test('who asks for what Git did not is an author of that run; who has Git’s own state delivered is not', async () => {
  await delivered(await taken())
  const asked = (kind: string, startedBy: string | null = 'bo'): Promise<string[]> => taken().then((at) => authors(at, { kind, startedBy }))
  for (const kind of ['revert', 'rollback', 'operation', 'prune']) expect(await asked(kind)).toEqual(['bo'])
  expect(await asked('revert', null)).toEqual([])
  for (const kind of ['deploy', 'change']) expect(await asked(kind)).toEqual([])
  // What is deleted because a commit let go of it is that commit's author's too.
  write('orders', 'ada', 'api/overlays/page.yaml')
  expect(await asked('prune')).toEqual(['ada', 'bo'])
  expect(await asked('deploy')).toEqual(['ada'])
})
