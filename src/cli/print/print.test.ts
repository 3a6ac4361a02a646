import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { ModuleStatus, Run, Status, Watch } from '#api/client.ts'
import { printPlan } from './plan.ts'
import { effectLines, printRun, printRuns } from './run.ts'
import { cut, safe, widthOf, wrap } from './safe.ts'
import { printStatus } from './status.ts'
import { columns, lasting, painter } from './table.ts'

/** What a commit message, an annotation or an answer may try. */
const hostile = 'a\u001b[31mred\u001b[0m \u001b]0;title\u0007 b\r\nc\td\u0000e\u009bf\u202eg\u2066h\u200bi\u2028j\u{e0041}k\u0008l\ud800'
const isClean = (text: string): boolean => !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\u{e0041}]/u.test(text) && text.isWellFormed()

const now = Date.parse('2026-11-21T12:00:00Z')
const at = (seconds: number): string => new Date(now - seconds * 1000).toISOString()
const failure = { code: 'field-conflict', subject: `Deployment ${hostile}`, message: hostile.repeat(5), hint: `plumb show ${hostile}`, retry: 'never' as const }

const module = (name: string, more: Partial<ModuleStatus> = {}): ModuleStatus => ({
  name, repository: 'orders', track: 'declarative', delivery: 'synced', verification: 'passed', readinessOnly: false, run: 'run-1m7y9mc4r1tvxh', snapshot: 's-8791a1189b77',
  stale: null, verifiedSince: at(90), since: at(45), verifiedAt: at(5), flapping: false, probes: [], pinned: null, findings: 0, adopting: 0, reverting: 0, note: null, failure: null, ...more,
})

const watch: Watch = { environment: 'production', target: 'cluster', driver: 'kubernetes', state: 'down', since: at(7200), objects: 3, listedAt: null, failure }

const status: Status = {
  workspace: 'shop',
  snapshot: 's-8791a1189b77',
  repositories: [{ name: 'orders', url: 'x', branch: 'main', head: null, checkedAt: at(3), failure }],
  problems: [failure],
  environments: [
    { name: 'sandbox', tier: 'sandbox', gone: false, holds: 2, verification: null, stale: null, probes: [], modules: [module('orders-api'), module('w'.repeat(63), { readinessOnly: true })], waiting: [], pauses: [{ module: null, reason: hostile, by: 'ada', until: at(-60) }], watches: [], unpublished: null },
    { name: 'production', tier: 'production', gone: false, holds: 1, verification: null, stale: null, probes: [], modules: [module('orders-api', { delivery: 'failed', verification: 'unknown', note: hostile, findings: 3, adopting: 1, reverting: 1 })], waiting: [{ run: 'run-1', waitingFor: 'approval', message: 'it asks for 1 approval' }], pauses: [], watches: [watch], unpublished: null },
  ],
}

const run: Run = {
  id: 'run-1m7y9mc4r1tvxh', environment: 'sandbox', kind: 'change', state: 'failed', waiting: [{ code: 'review.approvals', outcome: 'wait', waitingFor: 'approval', message: hostile, hint: 'plumb approve RUN' }],
  actor: `Eve ${hostile} <eve@shop.example>`, reason: hostile, ticket: hostile, snapshot: 's-8791a1189b77',
  changes: [{ repository: 'orders', sha: 'c9f09355e9e4812893dddb9e788c9267912f8be6', author: { name: hostile, email: 'e' }, at: at(1), subject: hostile, trailers: {} }],
  plan: { digest: `sha256:${'0'.repeat(64)}`, summary: { created: 0, configured: 1, unchanged: 4 } },
  steps: [
    {
      module: 'orders-api', dependsOn: [], delivery: 'failed', verification: 'unknown', readinessOnly: false, failure,
      effects: [
        {
          key: `apps/Deployment/orders/${hostile}`, action: 'configured', outcome: 'failed', holdsState: true, deferred: hostile, failure,
          changes: [
            { path: 'metadata.annotations["note"]', state: 'changed', from: hostile, to: hostile.repeat(20) },
            { path: 'spec.replicas', state: 'contested', from: 3, to: 2, owner: hostile },
          ],
        },
        { key: 'core/ConfigMap/orders/same', action: 'unchanged', holdsState: false, changes: [] },
      ],
    },
  ],
  probes: [{ module: 'orders-api', probe: 'ingress', kind: 'http', verdict: 'failed', asked: 1, samples: [{ signal: 'latency', target: hostile, verdict: 'failed', message: hostile, collectedAt: at(1), durationMs: 3 }] }],
  gates: [{ code: 'limits', outcome: 'refuse', message: hostile }],
  approvals: [{ principal: 'ada', reason: hostile, objects: [], at: at(1), planDigest: 'x' }],
  failure, record: { seq: 3, digest: `sha256:${'0'.repeat(64)}` }, createdAt: at(100), endedAt: at(98),
}

describe.each([80, 120, 200])('at %i columns', (width) => {
  const look = { colours: true, width, now }
  const outputs = {
    status: printStatus(status, look),
    runs: printRuns([run], look),
    show: printRun(run, look),
    plan: printPlan({ environment: 'sandbox', snapshot: 's', plan: run.plan ?? { digest: '', summary: {} }, steps: run.steps, unknown: [failure], gates: run.gates, outcome: 'refuse' }, look),
  }

  test.each(Object.entries(outputs))('%s lets no control character of others through', (_, lines) => {
    expect(lines.length).toBeGreaterThan(1)
    expect(lines.map((line) => stripVTControlCharacters(line)).filter((line) => !isClean(line))).toEqual([])
    // Only the colours that are ours, and each is ended.
    expect(lines.join('').replaceAll(/\u001b\[(?:1|22|3[1-3]|39|90)m/g, '')).not.toContain('\u001b')
  })

  test.each(['status', 'runs'] as const)('%s fits', (name) => {
    expect(outputs[name].filter((line) => widthOf(line) > width)).toEqual([])
  })

  test('the words are the same without colours', () => {
    expect(printStatus(status, { ...look, colours: false })).toEqual(outputs.status.map((line) => stripVTControlCharacters(line)))
  })
})

describe('status', () => {
  const lines = printStatus(status, { colours: false, width: 120, now })
  test('says first how it stands as a whole', () => {
    expect(lines.slice(0, 2)).toEqual(['shop  s-8791a1189b77  2 of 3 delivered and verified', '  delivery: 1 failed  verification: 1 unknown'])
    const { environments, ...others } = status
    const failing = { ...others, environments: environments.map((one) => ({ ...one, modules: one.modules.map((each) => ({ ...each, delivery: 'synced' as const, verification: 'failed' as const })) })) }
    // What does not work is delivered all the same.
    expect(printStatus(failing, { colours: false, width: 120, now })[1]).toBe('  verification: 3 failed')
  })

  test('groups by environment, keeps delivery and verification apart, and says what a person can do', () => {
    expect(lines.slice(lines.indexOf('production')).filter((line) => !line.startsWith('    a'))).toEqual([
      'production',
      expect.stringMatching(/^ {2}orders-api +failed +unknown +45s +run-1m7y9mc4r1tvxh/),
      '  cluster is not heard of since 2h: drift there is not known (field-conflict)',
      '  drift: orders-api (3 findings, 1 on its way back to Git, 1 being reverted). plumb drift -e production',
      '  run-1 waits: it asks for 1 approval',
      '  plumb show run-1; then plumb approve run-1 --reason WHY',
    ])
  })

  test('says of a probe that is not as it should be since when, what it says, what lies just before, and that it flaps', () => {
    const flip = { at: at(300), from: 'passed', to: 'failed', message: 'replica lag 47 s, threshold 10 s' }
    const lag = {
      probe: 'replica-lag', kind: 'sql', verdict: 'failed' as const, onset: at(300), askedAt: at(2), lastBefore: at(310), message: 'replica lag 47 s, threshold 10 s', flapping: true, quietSince: null, history: [{ ...flip, at: at(900), to: 'passed' }, flip],
      causes: [{ kind: 'run' as const, id: 'run-1m7y9mc4r1tvxh', at: at(420), about: 'Three of each' }],
    }
    const one = module('orders-database', { verification: 'failed', flapping: true, probes: [lag, { ...lag, probe: 'connects', verdict: 'passed', flapping: false }, { ...lag, probe: 'accepts-writes', verdict: 'passed', flapping: false, quietSince: at(300) }] })
    const told = printStatus({ ...status, problems: [], repositories: [], environments: [{ name: 'production', tier: 'production', gone: false, holds: 1, verification: null, stale: null, probes: [], modules: [one], waiting: [], pauses: [], watches: [], unpublished: null }] }, { colours: false, width: 160, now })
    expect(told.slice(-4)).toEqual([
      expect.stringMatching(/^ {2}orders-database +synced +failed \(flapping\) /),
      '    replica-lag failed for 5m: replica lag 47 s, threshold 10 s; before it: run run-1m7y9mc4r1tvxh, 2m earlier (Three of each)',
      `    replica-lag is flapping: 2 changes of its verdict since ${at(900)}, the last to failed (replica lag 47 s, threshold 10 s)`,
      `    accepts-writes changed its verdict again and again, and is quiet since ${at(300)}`,
    ])
  })

  test('a module that is warned says of what', () => {
    const lag = { probe: 'replica-lag', kind: 'sql', verdict: 'warned' as const, onset: at(60), askedAt: at(2), lastBefore: at(70), message: 'replica lag 7 s, threshold 5 s', flapping: false, history: [], quietSince: null, causes: [] }
    const one = module('orders-database', { verification: 'warned', probes: [lag, { ...lag, probe: 'connects', verdict: 'passed' }] })
    const told = printStatus({ ...status, problems: [], repositories: [], environments: [{ name: 'production', tier: 'production', gone: false, holds: 1, verification: null, stale: null, probes: [], modules: [one], waiting: [], pauses: [], watches: [], unpublished: null }] }, { colours: false, width: 160, now })
    expect(told.slice(-2)).toEqual([expect.stringMatching(/^ {2}orders-database +synced +warned /), '    replica-lag warned for 1m: replica lag 7 s, threshold 5 s'])
  })

  test('what is stale says why, as the environment itself does', () => {
    const one = module('orders-database', { verification: 'stale', stale: 'database changed (run-2)' })
    const told = printStatus({ ...status, problems: [], repositories: [], environments: [{ name: 'production', tier: 'production', gone: false, holds: 1, verification: 'stale', stale: 'its time is over', probes: [], modules: [one], waiting: [], pauses: [], watches: [], unpublished: null }] }, { colours: false, width: 160, now })
    expect(told.slice(-4)).toEqual(['production  itself stale', '    stale: its time is over', expect.stringMatching(/^ {2}orders-database +synced +stale /), '    stale: database changed (run-2)'])
  })

  test('says plainly that nothing is delivered', () => {
    expect(printStatus({ workspace: '', snapshot: null, repositories: [], problems: [], environments: [] }, { colours: false, width: 80, now })).toEqual(['no workspace  nothing is delivered yet'])
  })
})

test('show tells the story: who, why, which commit, what changed, what the probes saw, and the record', () => {
  const plain: Run = { ...run, actor: 'Ada <ada@shop.example>', reason: 'Three replicas', ticket: 'OPS-1', state: 'succeeded', waiting: [], failure: null, gates: [{ code: 'deliver.automatic', outcome: 'allow', message: 'By itself.' }], approvals: [] }
  plain.changes = [{ ...(run.changes[0] as Run['changes'][number]), author: { name: 'Ada', email: 'ada@shop.example' }, subject: 'Three replicas' }]
  plain.steps = [{ module: 'orders-api', dependsOn: [], delivery: 'delivered', verification: 'passed', readinessOnly: false, effects: [{ key: 'apps/Deployment/orders/orders-api', action: 'configured', holdsState: false, changes: [{ path: 'spec.replicas', state: 'changed', from: 2, to: 3 }] }] }]
  plain.probes = [{ module: 'orders-api', probe: 'ingress', kind: 'http', verdict: 'passed', asked: 1, samples: [{ signal: 'latency', target: 'GET http://x', verdict: 'passed', message: 'answered 200', collectedAt: at(1), durationMs: 3 }] }]
  expect(printRun(plain, { colours: false, width: 120, now })).toEqual([
    'run-1m7y9mc4r1tvxh  sandbox  succeeded  in 2.0s, 1m ago',
    '  who       Ada <ada@shop.example>',
    '  why       Three replicas (OPS-1)',
    '  snapshot  s-8791a1189b77',
    '            orders  c9f09355  Ada  Three replicas',
    '  plan      1 configured (sha256:000000000000)',
    '  gate      allow deliver.automatic: By itself.',
    '',
    '  orders-api  delivered  passed',
    '    configured Deployment orders/orders-api',
    '      ~ spec.replicas: 2 -> 3',
    '    probe  passed  ingress  answered 200  GET http://x',
    '',
    `  record    sandbox #3  sha256:${'0'.repeat(64)}`,
  ])
})

test('show leaves one blank line where an operation has no steps yet', () => {
  const lines = printRun({ ...run, steps: [], probes: [], failure: null, operation: { name: 'promote', from: null, slot: null, steps: [] } }, { colours: false, width: 120, now })
  expect(lines.slice(lines.indexOf('  operation promote') + 1, lines.indexOf('  operation promote') + 3)).toEqual(['', expect.stringMatching(/^ {2}waiting /)])
})

describe('text', () => {
  test('of others is made safe, and what is readable stays', () => {
    expect(safe('Grüße, 世界 👍 — naïve')).toBe('Grüße, 世界 👍 — naïve')
    expect(isClean(safe(hostile))).toBe(true)
  })

  test('is measured in columns, and cut at them', () => {
    expect([widthOf('abc'), widthOf('世界'), widthOf('e\u0301'), widthOf(painter({ colours: true })('bad', 'abc'))]).toEqual([3, 4, 1, 3])
    expect([cut('abcdef', 4), cut('世界世界', 5), cut('abc', 3)]).toEqual(['abc…', '世界…', 'abc'])
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
  })

  test('in columns lines up, also where it is wide', () => {
    expect(columns([[{ text: '世界' }, { text: 'x' }], [{ text: 'ab' }, { text: 'y' }]], { width: 80, elastic: [] }, painter({ colours: false }))).toEqual(['世界  x', 'ab    y'])
  })

  test('about time says what matters', () => {
    expect([400, 59_400, 3_540_000, 86_000_000, 900_000_000, -5].map(lasting)).toEqual(['0s', '59s', '59m', '23h', '10d', '0s'])
  })
})

test('show tells of windows, of each of several targets, and of the time before the change', () => {
  const sample = (verdict: 'passed' | 'failed', target: string, message: string) => ({ signal: 'count' as const, target, verdict, message, collectedAt: at(1), durationMs: 3 })
  const across = [sample('passed', 'GET http://a', 'answered 200'), sample('failed', 'GET http://b', 'connection refused')]
  const told = printRun({
    ...run, waiting: [], failure: null, gates: [], approvals: [], changes: [],
    steps: [{ module: 'orders-api', dependsOn: [], delivery: 'delivered', verification: 'failed', readinessOnly: false, effects: [] }],
    probes: [
      { module: 'orders-api', probe: 'everywhere', kind: 'http', verdict: 'failed', asked: 31, samples: [{ ...sample('failed', '2 targets', '1 of 2 pass, 2 needed: GET http://b: connection refused'), across }] },
      { module: 'orders-api', probe: 'rate', kind: 'http', verdict: 'failed', asked: 12, window: { passed: 6, of: 10, needed: 8 }, before: sample('passed', 'q', 'rate 1.6 %'), samples: [sample('failed', 'q', 'rate 3.2 %')] },
    ],
  }, { colours: false, width: 108, now })
  expect(told.slice(told.findIndex((line) => line.includes('everywhere')), -2)).toEqual([
    '    probe  failed  everywhere  1 of 2 pass, 2 needed: GET http://b: connection refused  (asked 31 times)',
    '          passed  GET http://a  answered 200',
    '          failed  GET http://b  connection refused',
    '    probe  failed  rate        rate 3.2 %  (6 of the last 10 passed, 8 needed; asked 12 times)',
    '          before the change passed rate 1.6 %',
  ])
})

test('what is live already is told as that, and what is taken so by how much of it there is', () => {
  const changes: Run['steps'][number]['effects'][number]['changes'] = [
    { path: 'spec.replicas', state: 'changed', from: 4, to: 4, owner: 'kubectl (scale)', already: true },
    { path: 'spec.paused', state: 'added', from: false, to: false, already: true },
    ...['a', 'b', 'c'].map((name) => ({ path: `data.${name}`, state: 'taken' as const, from: '1', to: '1', owner: 'kubectl-create', already: true as const })),
    { path: 'data.d', state: 'taken', from: '1', to: '1', already: true },
    { path: 'data.e', state: 'taken', from: '9', to: '1', owner: 'kubectl-create' },
  ]
  const lines = (some: typeof changes): string[] => effectLines({ key: 'core/ConfigMap/shop/a', action: 'configured', holdsState: false, changes: some }, (_, text) => text, 120).slice(1)
  expect(lines(changes)).toEqual([
    '      ~ spec.replicas: 4  live already: Git says so now, and only who owns it changes  kubectl (scale)',
    '      + spec.paused: false  live already: Git says so now, and only who owns it changes',
    '      taken data.e: 9 (Git says 1)  kubectl-create',
    '      taken 3 fields that are as Git says already  kubectl-create',
    '      taken 1 field that is as Git says already',
  ])
  expect(lines(changes.slice(2, 3))).toEqual(['      taken data.a: 1  as Git says already: only who owns it changes  kubectl-create'])
})

test('a plan that yields a field says how to declare it no more; another does not', () => {
  const planned = (state: 'yielded' | 'changed'): string => {
    const effects = [{ key: 'apps/Deployment/orders/orders-api', action: 'configured' as const, holdsState: false, changes: [{ path: 'spec.replicas', state, from: 2, to: 3 }] }]
    return printPlan({ environment: 'sandbox', snapshot: 's', plan: { digest: 'sha256:0', summary: {} }, steps: [{ module: 'orders-api', dependsOn: [], delivery: null, verification: null, readinessOnly: false, effects }] as never, unknown: [], gates: [], outcome: 'go' }, { colours: false, width: 120, now }).join('\n')
  }
  expect(planned('yielded')).toContain('declared no more: plumb yield -e sandbox')
  expect(planned('changed')).not.toContain('plumb yield')
})
