import { afterEach, describe, expect, test } from 'vitest'
import { FakeForge } from './fake-forge.ts'
import { forgeKinds } from './forge.ts'
import type { ForgeKind } from './forge.ts'
import { ensurePullRequest } from './pull-request.ts'
import type { ForgeAccess } from './pull-request.ts'

const token = 'canary-forge-7d1'
const never = new AbortController().signal
const request = { branch: 'plumbline/adopt-1', into: 'main', title: 'Adopt it', body: 'Because' }
const started: FakeForge[] = []
afterEach(async () => {
  for (const forge of started.splice(0)) await forge[Symbol.asyncDispose]()
})

async function fake(kind: ForgeKind): Promise<{ forge: FakeForge; access: ForgeAccess }> {
  const forge = await new FakeForge(kind, token).start()
  started.push(forge)
  return { forge, access: { kind, url: forge.url, project: 'shop/orders', token } }
}

describe.each(forgeKinds)('a fake of %s', (kind) => {
  test('a request is opened once, and found again, also when it is merged', async () => {
    const { forge, access } = await fake(kind)
    const opened = await ensurePullRequest(access, request, never)
    expect(opened).toMatchObject({ number: 1, state: 'open' })
    expect(new URL(opened.url).pathname).toContain('/shop/orders/')
    expect(await ensurePullRequest(access, request, never)).toEqual(opened)
    expect(forge.pulls).toMatchObject([{ ...request, state: 'open' }])
    forge.pulls[0]!.state = 'merged'
    expect(await ensurePullRequest(access, request, never)).toEqual({ ...opened, state: 'merged' })
    forge.pulls[0]!.state = 'closed'
    expect(await ensurePullRequest(access, request, never)).toMatchObject({ number: 2, state: 'open' })
  })

  test('one that another opened meanwhile is the one', async () => {
    const { forge, access } = await fake(kind)
    const asked = ensurePullRequest(access, request, never)
    forge.next = kind === 'gitea' || kind === 'forgejo' ? { status: 404, body: '{}' } : { status: 200, body: '[]' }
    forge.pulls.push({ number: 7, ...request, state: 'open' })
    expect(await asked).toMatchObject({ number: 7 })
  })

  test('what a forge refuses is told in its words, without the token', async () => {
    const { forge, access } = await fake(kind)
    const wrong = await ensurePullRequest({ ...access, token: 'another' }, request, never).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 'forge-refused', retry: 'never' })
    await expect(ensurePullRequest({ ...access, project: 'shop/other' }, request, never)).rejects.toMatchObject({ code: expect.stringMatching(/forge-refused/) })
    forge.next = { status: 503, body: JSON.stringify({ message: `down, ${token}` }) }
    const down = (await ensurePullRequest(access, request, never).catch((error: unknown) => error)) as Error
    expect(down).toMatchObject({ code: 'forge-refused', retry: 'later' })
    expect(down.message).toContain('down')
    expect(down.message).not.toContain(token)
  })
})

test('a forge that is not there, one over plain HTTP, one with credentials, and one without a URL', async () => {
  const { forge, access } = await fake('github')
  await forge[Symbol.asyncDispose]()
  await expect(ensurePullRequest(access, request, never)).rejects.toMatchObject({ code: 'forge-unreachable', retry: 'later' })
  for (const url of ['http://forge.example', 'https://a:b@forge.example', 'ftp://forge.example', 'forge']) await expect(ensurePullRequest({ ...access, url }, request, never)).rejects.toMatchObject({ code: 'forge-url-refused' })
  await expect(ensurePullRequest({ ...access, kind: 'gitea', url: undefined }, request, never)).rejects.toMatchObject({ code: 'forge-url-refused' })
})
