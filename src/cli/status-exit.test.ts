import { expect, test } from 'vitest'
import type { ModuleStatus, Status } from '#api/client.ts'
import { exitOfStatus } from './status-exit.ts'

const failure = { code: 'x', subject: 'x', message: 'x', retry: 'later' as const }
const module = (more: Partial<ModuleStatus> = {}): ModuleStatus => ({
  name: 'shop', repository: 'shop', track: 'declarative', delivery: 'synced', verification: 'passed', stale: null, readinessOnly: false, run: null, snapshot: null, verifiedAt: null, flapping: false, probes: [], pinned: null, verifiedSince: null, since: '2026-01-01T00:00:00.000Z', findings: 0, adopting: 0, reverting: 0, note: null, failure: null, ...more,
})
const status = (modules: readonly ModuleStatus[], more: Partial<Status> = {}, waitingFor?: string): Status => ({
  workspace: 'shop', snapshot: 's-1', repositories: [], problems: [],
  environments: [{ name: 'dev', tier: 'sandbox', gone: false, holds: 0, verification: null, stale: null, probes: [], modules: [...modules], waiting: waitingFor === undefined ? [] : [{ run: 'run-1', waitingFor, message: 'x' }], pauses: [], watches: [], unpublished: null }],
  ...more,
})
const ofItself = (verification: 'failed' | 'stale' | 'passed'): Status => {
  const all = status([module()])
  return { ...all, environments: all.environments.map((one) => ({ ...one, verification })) }
}
const pinned = { snapshot: 's-0', by: 'rollback' as const, actor: 'robin', reason: 'it broke', ticket: null, at: '2026-01-01T00:00:00.000Z', run: null }
const behind = module({ delivery: 'behind' })
const repository = { name: 'shop', url: 'x', branch: 'main', head: null, checkedAt: null, failure }

test.each<[number, string, Status]>([
  [0, 'all is delivered and verified', status([module(), module({ verification: 'warned' })])],
  [0, 'nothing is to be delivered', status([])],
  [1, 'the environment itself fails', ofItself('failed')],
  [3, 'a module is held at an older snapshot', status([module(), module({ delivery: 'behind', pinned })])],
  [0, 'a module is held where Git has it', status([module({ pinned })])],
  [4, 'nobody looked at the environment itself for long', ofItself('stale')],
  [0, 'the environment itself passes', ofItself('passed')],
  [0, 'all is, and a person is asked for something else', status([module()], {}, 'approval')],
  [1, 'a delivery failed', status([module(), module({ delivery: 'failed', verification: 'unknown' })])],
  [1, 'a verification failed, and all else waits or is unknown', status([module({ verification: 'failed' }), behind, module({ delivery: 'unknown' })], { problems: [failure], repositories: [repository] }, 'approval')],
  [2, 'the configuration is wrong', status([behind], { problems: [failure], repositories: [repository] }, 'approval')],
  [3, 'what is behind waits for an approval', status([behind], {}, 'approval')],
  [3, 'the first delivery does', status([module({ delivery: 'behind', verification: 'unknown' })], {}, 'approval')],
  [3, 'nothing was delivered yet, and a person must say so', status([], {}, 'person')],
  [3, 'a person cancelled what was to be delivered', status([module(), module({ delivery: 'behind', failure: { ...failure, code: 'run-cancelled' } })])],
  [4, 'what is behind waits for another environment', status([behind], {}, 'environment')],
  [4, 'it is under way', status([module({ delivery: 'progressing', verification: 'stale' })])],
  [4, 'nobody knows whether it works', status([module({ verification: 'unknown' })])],
  [4, 'nobody knows what is there', status([module({ delivery: 'unknown' }), behind], {}, 'approval')],
  [4, 'a repository cannot be read', status([module()], { repositories: [repository] })],
  [4, 'no snapshot was taken yet', status([], { snapshot: null })],
])('%i: %s', (code, _, told) => {
  expect(exitOfStatus(told)).toBe(code)
})
