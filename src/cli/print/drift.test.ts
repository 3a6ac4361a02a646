import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { Adoption, Finding, Watch } from '#api/client.ts'
import { printDrift, printFinding, withdrawnLines } from './drift.ts'
import { widthOf } from './safe.ts'

const now = Date.parse('2026-11-21T12:00:00Z')
const at = (seconds: number): string => new Date(now - seconds * 1000).toISOString()
const hostile = 'a\u001b[31mred\u001b[0m \u001b]0;title\u0007 b\r\nc\u202ed\u2066e\u200bf\u2028g'

const finding = (more: Partial<Finding> = {}): Finding => ({
  id: 'f-1m7y9mc4r1tvxh', environment: 'production', module: 'orders-api', target: 'cluster', object: 'apps/Deployment/orders/orders-api', cause: 'manual',
  fields: [{ path: 'spec.replicas', declared: 2, live: 5 }], manager: 'kubectl (scale)', person: null, onset: at(3700), seenAt: at(3600), updatedAt: at(60), count: 2, state: 'open', decision: 'report',
  message: 'spec.replicas of Deployment orders/orders-api is not what was declared, by kubectl (scale)',
  source: { repository: 'orders', file: 'deploy/production/deployment.yaml', line: 8, column: 3, commit: { sha: 'c9f09355e9e4', author: 'Ada Park', at: at(90_000), subject: 'Two of each' } },
  accepted: null, contested: [], run: null, failure: null, resolvedAt: null, ...more,
})
const watch = (more: Partial<Watch> = {}): Watch => ({ environment: 'production', target: 'cluster', driver: 'kubernetes', state: 'watching', since: at(60), objects: 3, listedAt: at(60), failure: null, ...more })
const answer = (findings: Finding[], watches: Watch[]) => ({ findings, watches, more: 0, waiting: 0, failure: null })
const look = (width: number, colours = false) => ({ colours, width, now })

describe('plumb drift', () => {
  const all = [
    finding({ state: 'contested', contested: ['argocd-controller', 'kubectl-edit'] }),
    finding(),
    finding({ cause: 'missing', fields: [], manager: null, message: 'Deployment orders/orders-api is gone: somebody deleted it' }),
    finding({ object: 'core/Secret/orders/db', fields: [{ path: 'data.url', declared: null, live: null, secret: true }], person: 'kim' }),
    finding({ fields: [{ path: 'metadata.labels.team', declared: 'a', live: null }, { path: 'spec.replicas', declared: 2, live: 5 }], cause: 'unknown', manager: null }),
  ]

  test('tells what, by whom and since when, a line a finding', () => {
    expect(printDrift(answer(all, [watch()]), look(172))).toEqual([
      'FINDING           STATE      CAUSE    ENVIRONMENT  OBJECT                        WHAT                                             WHO                                 SINCE',
      'f-1m7y9mc4r1tvxh  contested  manual   production   Deployment orders/orders-api  spec.replicas: 2 -> 5                            argocd-controller and kubectl-edit  1h',
      'f-1m7y9mc4r1tvxh  open       manual   production   Deployment orders/orders-api  spec.replicas: 2 -> 5                            kubectl (scale)                     1h',
      'f-1m7y9mc4r1tvxh  open       missing  production   Deployment orders/orders-api  deleted                                          nobody left a trace                 1h',
      'f-1m7y9mc4r1tvxh  open       manual   production   Secret orders/db              data.url: another value                          kim                                 1h',
      'f-1m7y9mc4r1tvxh  open       unknown  production   Deployment orders/orders-api  metadata.labels.team: a -> nothing (and 1 more)  nobody left a trace                 1h',
    ])
  })

  test('tells what, who and since when below, where a line has no room for them', () => {
    expect(printDrift(answer(all, [watch()]), look(80))).toEqual([
      'FINDING           STATE      CAUSE    OBJECT',
      'f-1m7y9mc4r1tvxh  contested  manual   Deployment orders/orders-api',
      '    spec.replicas: 2 -> 5, by argocd-controller and kubectl-edit, 1h ago in',
      '    production',
      'f-1m7y9mc4r1tvxh  open       manual   Deployment orders/orders-api',
      '    spec.replicas: 2 -> 5, by kubectl (scale), 1h ago in production',
      'f-1m7y9mc4r1tvxh  open       missing  Deployment orders/orders-api',
      '    deleted, nobody left a trace, 1h ago in production',
      'f-1m7y9mc4r1tvxh  open       manual   Secret orders/db',
      '    data.url: another value, by kim, 1h ago in production',
      'f-1m7y9mc4r1tvxh  open       unknown  Deployment orders/orders-api',
      '    metadata.labels.team: a -> nothing (and 1 more), nobody left a trace, 1h ago',
      '    in production',
    ])
  })

  test.each([60, 80, 100, 120, 200])('fits a terminal of %i columns', (width) => {
    const long = finding({ environment: 'e'.repeat(40), object: `apps/Deployment/${'n'.repeat(60)}/${'d'.repeat(60)}`, person: 'p'.repeat(80), fields: [{ path: 'spec.x', declared: 'v'.repeat(500), live: 'w'.repeat(500) }] })
    for (const line of printDrift(answer([...all, long], [watch({ state: 'down', failure: { code: 'kubernetes-unreachable', subject: 's', message: 'm '.repeat(200), retry: 'later' } })]), look(width))) expect(widthOf(line)).toBeLessThanOrEqual(width)
  })

  test('cuts nothing in a pipe', () => {
    const long = finding({ environment: 'e'.repeat(40), object: `apps/Deployment/${'n'.repeat(60)}/${'d'.repeat(60)}`, person: 'p'.repeat(80) })
    const [, line = ''] = printDrift(answer([long], [watch()]), look(Number.POSITIVE_INFINITY))
    expect(line).toMatch(/^f-1m7y9mc4r1tvxh +open +manual +e{40} +Deployment n{60}\/d{60} +spec.replicas: 2 -> 5 +p{80} +1h$/)
  })

  test('says that all is as declared only where everybody is watched', () => {
    expect(printDrift(answer([], [watch()]), look(100))).toEqual(['Everything is as declared.'])
    expect(printDrift(answer([], [watch(), watch({ state: 'down', since: at(7200), target: 'other' })]), look(100)).join('\n')).toBe('Nothing is known to have drifted.\n\nother in production is not heard of since 2h: what changed there since is not known.')
    expect(printDrift(answer([], [watch({ state: 'unwatched' })]), look(100)).join(' ')).toContain('is watched by no process')
    // Nor that nothing is where it is not known which environments there are, nor that these are all.
    const failure = { code: 'git-failed', subject: 's', message: 'it is away', retry: 'later' as const }
    expect(printDrift({ ...answer([], [watch()]), failure }, look(100)).join('\n')).toMatch(/^Nothing is known to have drifted.\n\n.*it is away/s)
    expect(printDrift({ ...answer(all, [watch()]), more: 7 }, look(160)).at(-1)).toBe('and 7 more, none of them more serious: narrow it with -e and -m')
  })

  test('what others wrote reaches the terminal as text alone', () => {
    const evil = finding({ manager: hostile, person: hostile, message: hostile, fields: [{ path: hostile, declared: hostile, live: { [hostile]: hostile } }], source: { repository: 'r', file: hostile, line: 1, column: 1, commit: { sha: 'x', author: hostile, at: at(1), subject: hostile } }, accepted: { by: hostile, reason: hostile, until: at(-1) } })
    const lines = [...printDrift(answer([evil], [watch()]), look(120)), ...printFinding({ finding: evil, adoption: null, history: [{ at: at(1), what: 'opened', actor: hostile, reason: hostile }] }, look(120))]
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u2028\u202e\u2066\u200b]/u)
    expect(printDrift(answer([evil], [watch()]), look(120, true)).map(stripVTControlCharacters)).toEqual(printDrift(answer([evil], [watch()]), look(120)))
  })
})

test('plumb drift show tells the whole of it', () => {
  const history = [{ at: at(3600), what: 'opened', actor: 'plumbline', reason: 'it drifted' }]
  expect(printFinding({ finding: finding({ person: 'kim' }), adoption: null, history }, look(120))).toEqual([
    'f-1m7y9mc4r1tvxh  production  open  manual',
    '  what      spec.replicas of Deployment orders/orders-api is not what was declared, by kubectl (scale)',
    '  object    Deployment orders/orders-api of orders-api, in cluster',
    '  who       kim (kubectl (scale))',
    '  since     2026-11-21T10:58:20.000Z; seen 2026-11-21T11:00:00.000Z, 2 times by now',
    '  declared  orders/deploy/production/deployment.yaml:8:3 (c9f09355 Ada Park: Two of each)',
    '  policy    report',
    '',
    '  spec.replicas',
    '    declared  2',
    '    live      5',
    '',
    '  2026-11-21T11:00:00.000Z opened by plumbline: it drifted',
    '',
    '  plumb revert f-1m7y9mc4r1tvxh --reason WHY, plumb adopt f-1m7y9mc4r1tvxh --reason WHY, or plumb accept f-1m7y9mc4r1tvxh --reason WHY --until 2d',
  ])
})

test('only what there is to be done about it is proposed', () => {
  const next = (cause: Finding['cause']): string | undefined => printFinding({ finding: finding({ cause, fields: [] }), adoption: null, history: [] }, look(200)).at(-1)
  expect(next('missing')).toContain('plumb adopt')
  expect(next('recreated')).toBe('  plumb revert f-1m7y9mc4r1tvxh --reason WHY, or plumb accept f-1m7y9mc4r1tvxh --reason WHY --until 2d')
  const unlabelled = finding({ fields: [{ path: 'metadata.labels["plumbline.dev/module"]', declared: 'web', live: null }] })
  expect(printFinding({ finding: unlabelled, adoption: null, history: [] }, look(200)).at(-1)).not.toContain('plumb adopt')
  const moved = finding({ fields: [{ path: 'spec.ports[port=80].name', declared: 'http', live: null, instead: 'spec.ports[port=81]' }] })
  const shown = printFinding({ finding: moved, adoption: null, history: [] }, look(200))
  expect(shown).toContain('    live      (nothing; spec.ports[port=81] is there instead)')
  expect(shown.join('\n')).not.toContain('plumb adopt')
  expect(shown.at(-1)).toBe('  a revert leaves spec.ports[port=81], which is not ours: take it away first where the server does not take both')
  expect(next('orphan')).toBe('  plumb accept f-1m7y9mc4r1tvxh --reason WHY --until 2d')
})

test('whoever decides otherwise on what is on its way back is told what is left of that', () => {
  const [opened, withdrawn, accepted] = [['opened', 'it drifted'], ['withdrawn', 'it is accepted instead; delete plumbline/adopt-f-1 of orders'], ['accepted', 'why']].map(([what = '', reason = '']) => ({ at: at(60), what, actor: 'kim', reason }))
  expect(withdrawnLines([opened!, withdrawn!, accepted!])).toEqual(['Its adoption is withdrawn: it is accepted instead; delete plumbline/adopt-f-1 of orders.'])
  expect(withdrawnLines([opened!, accepted!])).toEqual([])
  expect(withdrawnLines([opened!, withdrawn!, accepted!, opened!, accepted!])).toEqual([])
})

test('what is on its way back says where, and until when', () => {
  const adoption: Adoption = {
    finding: 'f-1', state: 'proposed', by: 'robin', reason: 'Black Friday', askedAt: at(60), deadline: at(-7_200), repository: 'orders', branch: 'plumbline/adopt-f-1', to: 'branch', commit: 'c9f09355e9e4', pullRequest: null,
    edits: [{ file: 'deploy/web.yaml', line: 8, column: 13, before: '2', after: '5' }], renamed: [], unproven: [], failure: null, delivered: null,
  }
  const adopting = printFinding({ finding: finding({ state: 'adopting' }), adoption, history: [] }, look(120)).join('\n')
  expect(adopting).toContain('proposed  orders plumbline/adopt-f-1 at c9f09355')
  expect(adopting).toContain('an obligation until it is delivered: within 2h')
  expect(adopting).toMatch(/or decide otherwise: plumb revert f-1m7y9mc4r1tvxh --reason WHY, or plumb accept f-1m7y9mc4r1tvxh --reason WHY --until 2d$/)
  // What was pushed stays told where it is an obligation no more.
  const began = { at: at(50), what: 'adopting', actor: 'robin', reason: 'Black Friday' }
  const accepted = printFinding({ finding: finding({ state: 'accepted' }), adoption: { ...adoption, state: 'withdrawn' }, history: [began] }, look(120)).join('\n')
  expect(accepted).toContain('withdrawn  orders plumbline/adopt-f-1 at c9f09355')
  expect(accepted).not.toContain('obligation')
  // What is over is told as it was, and how it ended.
  const over = finding({ state: 'resolved', resolvedAt: at(5) })
  const end = { at: at(5), what: 'resolved', actor: 'plumbline', reason: 'Git declares it by now: delivered by run-9 (orders at 01234567), as it was adopted' }
  const resolved = printFinding({ finding: over, adoption: { ...adoption, state: 'delivered', delivered: { run: 'run-9', commit: '0123456789ab' } }, history: [began, end] }, look(140)).join('\n')
  expect(resolved).toMatch(/policy +report\n +resolved +2026-11-21T11:59:55.000Z: Git declares it by now: delivered by run-9 \(orders at 01234567\), as it was adopted\n/)
  expect(resolved).toMatch(/was declared {2}2\n +was live {6}5\n/)
  expect(resolved).toMatch(/delivered {2}orders plumbline\/adopt-f-1 at c9f09355\n +by run-9, with orders at 01234567\n +deploy\/web.yaml:8:13\n/)
  // Opened again, it is so now.
  const again = printFinding({ finding: finding(), adoption: { ...adoption, state: 'delivered' }, history: [began, end, { ...end, what: 'opened' }] }, look(120)).join('\n')
  expect(again).not.toMatch(/ resolved {2}|was live|plumbline\/adopt-f-1/)
  expect(printFinding({ finding: finding({ state: 'reverting', run: 'run-9' }), adoption: null, history: [] }, look(120)).at(-1)).toBe('  plumb show run-9 tells how far it is')
})
