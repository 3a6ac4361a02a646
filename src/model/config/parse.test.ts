import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { configurationSchemas, parseConfiguration } from './parse.ts'

const schemas = configurationSchemas({ http: z.strictObject({ address: z.string(), status: z.int().default(200) }), tcp: z.strictObject({ address: z.string() }) })
const parse = (text: string) => parseConfiguration(Buffer.from(text), { repository: 'orders', file: 'f.yaml' }, schemas)
const head = (kind: string, name: string, spec: string) => `apiVersion: plumbline.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n${spec}`
const problems = (text: string) => parse(text).problems.map(({ subject, message, hint }) => [subject.replace('orders/f.yaml:', ''), message, ...(hint === undefined ? [] : [hint])])

test('a module is read with its defaults, durations as milliseconds', () => {
  const { documents, problems } = parse(head('Module', 'orders-api', '  target: cluster\n  verifyEvery: 1h30m\n  probes:\n    - { name: up, http: { address: ingress } }\n'))
  expect(problems).toEqual([])
  expect(documents[0]).toMatchObject({
    kind: 'Module',
    line: 1,
    config: { spec: { track: 'declarative', driver: 'kubernetes', source: { path: '.' }, deadline: 300_000, verifyEvery: 5_400_000, probes: [{ name: 'up', kind: 'http', within: 60_000, every: 2_000, config: { address: 'ingress', status: 200 } }] } },
  })
})

describe('every problem of a file is told, with its place and what was expected', () => {
  test('in a Module', () => {
    expect(problems(head('Module', 'a', '  tarjet: c\n  enviroments: []\n  source: { path: /etc }\n  deadline: 5\n  verifyEvery: 400d\n  probes:\n    - { name: a, htp: {} }\n    - name: b\n    - { name: c, http: { status: x } }\n    - 5\n    - { name: d, http: { address: x }, tcp: { address: y } }\n'))).toEqual([
      ['5:3', expect.stringContaining('spec.tarjet: unknown field, expected one of track, driver, target, '), 'Did you mean “target”?'],
      ['6:3', expect.stringContaining('spec.enviroments: unknown field'), 'Did you mean “environments”?'],
      ['7:19', 'spec.source.path: expected a path relative to this file, found “/etc”'],
      ['8:13', 'spec.deadline: expected a string, found 5'],
      ['9:16', 'spec.verifyEvery: expected a duration of at most 365d, found “400d”'],
      ['11:18', 'spec.probes[0].htp: unknown field, expected one of name, settle, within, every, timeout, window, compare, across, need, http, tcp', 'Did you mean “http”?'],
      ['12:7', 'spec.probes[1]: expected exactly one of http, tcp'],
      ['13:18', 'spec.probes[2].http.address: is missing: expected a string'],
      ['13:34', 'spec.probes[2].http.status: expected a number, found “x”'],
      ['14:7', 'spec.probes[3]: expected a mapping, found 5'],
      ['15:7', 'spec.probes[4]: expected exactly one of http, tcp'],
    ])
  })

  test('in an Environment', () => {
    const spec = '  tier: prod\n  addresses: { A B: x }\n  targets:\n    c: { kubernets: {} }\n    d: { kubernetes: { contxt: x } }\n    e: 5\n    f: {}\n    g: { kubernetes: { context: x }, postgres: { url: { secretRef: "env:X" } } }\n    h: { postgres: { url: { secretRef: hunter2 } } }\n  review: { approvals: "1", notTheAuthor: yes }\n  drift: { hotfx: hold, manual: x }\n'
    expect(problems(head('Environment', 'A_', spec))).toEqual([
      ['3:19', expect.stringContaining('metadata.name: expected lower-case letters')],
      ['5:9', 'spec.tier: expected one of sandbox, staging, production, found “prod”'],
      ['6:16', expect.stringContaining('spec.addresses["A B"]: expected lower-case letters')],
      ['8:10', 'spec.targets.c.kubernets: unknown field, expected one of kubernetes, postgres, mysql, host', 'Did you mean “kubernetes”?'],
      ['9:24', 'spec.targets.d.kubernetes.contxt: unknown field, expected one of context, jobs, audit', 'Did you mean “context”?'],
      ['10:8', 'spec.targets.e: expected a mapping, found 5'],
      ['11:8', 'spec.targets.f: expected exactly one of kubernetes, postgres, mysql, host'],
      ['12:8', 'spec.targets.g: expected exactly one of kubernetes, postgres, mysql, host'],
      ['13:40', expect.stringContaining('spec.targets.h.postgres.url.secretRef: expected <provider>:<path>#<key>')],
      ['14:24', 'spec.review.approvals: expected a number, found “1”'],
      ['14:43', 'spec.review.notTheAuthor: expected true or false, found “yes”', 'Booleans are written true and false here.'],
      ['15:33', expect.stringContaining('spec.drift.manual: expected one of ignore, ')],
      ['15:12', expect.stringContaining('spec.drift.hotfx: unknown field, expected one of hotfix, '), 'Did you mean “hotfix”?'],
    ])
  })

  test('a target names a context of the operator’s kubeconfig, and brings no server, credentials or program of its own', () => {
    for (const own of ['exec: { command: /bin/sh }', 'server: "https://evil.example"', 'kubeconfig: ../kubeconfig', 'token: x', 'authProvider: { name: x }']) {
      const [name] = own.split(':')
      const told = problems(head('Environment', 'a', `  tier: sandbox\n  targets: { c: { kubernetes: { context: x, ${own} } } }\n`))
      expect(told).toEqual([['6:45', expect.stringContaining(`spec.targets.c.kubernetes.${name}: unknown field`)]])
    }
  })

  test('in a Workspace: the branch of a union that was meant', () => {
    const spec = '  repositories:\n    a: { url: ., allow: evrything }\n    b: { url: x, allow: { kinds: nam } }\n    c: { url: x, credentials: { token: abc } }\n    d: { url: x, credentials: { ssh: { key: { secretRef: "env:K" } } } }\n    e:\n  environments: 5\n'
    expect(problems(head('Workspace', 'a', spec))).toEqual([
      ['6:25', 'spec.repositories.a.allow: expected “everything” or a mapping, found “evrything”', 'Did you mean “everything”?'],
      ['7:34', 'spec.repositories.b.allow.kinds: expected “namespaced” or a list, found “nam”'],
      ['8:40', 'spec.repositories.c.credentials.token: expected a mapping, found another text (not shown)'],
      ['9:33', 'spec.repositories.d.credentials.ssh.knownHosts: is missing: expected a mapping'],
      ['10:5', 'spec.repositories.e: expected a mapping, found nothing (null)'],
      ['11:17', 'spec.environments: expected a string or a list, found 5'],
    ])
  })

  test.each([
    ['kind: Deployment\napiVersion: apps/v1', '2:13', 'apiVersion: not a Plumbline document'],
    ['apiVersion: plumbline.dev/v1alpha1\nkind: Modul', '2:7', 'kind: unknown kind'],
    ['apiVersion: plumbline.dev/v9\nkind: Module', '1:13', 'apiVersion: expected “plumbline.dev/v1alpha1”, found “plumbline.dev/v9”'],
    ['- a', '1:1', 'expected a document'],
    ['a: {', '1:5', 'not valid YAML'],
    [head('Module', 'a', '  target: c\n  target: d\n'), '6:3', 'there twice'],
  ])('%j', (text, place, message) => {
    expect(problems(text)[0]).toEqual(expect.arrayContaining([place, expect.stringContaining(message)]))
  })
})

test('a broken document leaves the others of its file whole, and is still there by name', () => {
  const parsed = parse([head('Module', 'good', '  target: c\n'), head('Module', 'bad', '  tarjet: c\n'), head('Module', 'also-good', '  target: c\n')].join('---\n'))
  expect(parsed.documents.map((document) => document.config.metadata.name)).toEqual(['good', 'also-good'])
  expect(parsed.broken).toEqual([{ kind: 'Module', name: 'bad' }])
})

test('names are unique among probes and among written secrets', () => {
  const probe = '{ name: up, tcp: { address: x } }'
  const secret = '{ name: s, namespace: n, keys: {} }'
  expect(problems(head('Module', 'a', `  target: c\n  probes: [${probe}, ${probe}]\n  secrets: [${secret}, ${secret}, { name: s, keys: {} }]\n`)).map(([, message]) => message)).toEqual([
    'spec.probes[1].name: expected a name that no other has, found “up”',
    'spec.secrets[1].name: expected a name that no other has, found “s”',
  ])
})

test.each([
  ['a connection URL', head('Environment', 'e', '  tier: sandbox\n  targets: { d: { postgres: { url: { secretRef: "canary-7f3a" } } } }\n')],
  ['in place of the reference', head('Environment', 'e', '  tier: sandbox\n  targets: { d: { postgres: { url: canary-7f3a } } }\n')],
  ['a token', head('Workspace', 'w', '  repositories: { a: { url: ., credentials: { token: canary-7f3a } } }\n')],
  ['credentials as a whole', head('Workspace', 'w', '  repositories: { a: { url: ., credentials: canary-7f3a } }\n')],
  ['a written secret', head('Module', 'm', '  target: c\n  secrets: [{ name: s, keys: { a: canary-7f3a } }]\n')],
])('a secret that stands where its reference belongs is not repeated: %s', (_, text) => {
  const { problems } = parse(text)
  expect(problems).toHaveLength(1)
  expect(problems[0]?.message).toContain('not shown')
  expect(JSON.stringify(problems)).not.toContain('canary')
})
