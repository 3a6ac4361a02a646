import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Run, Status } from '#api/client.ts'
import { runCommandLine } from '#cli/program.ts'
import type { Surroundings } from '#cli/surroundings.ts'
import { offlineCommands } from '../../src/offline.ts'
import { eventually } from '../eventually.ts'
import { openShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { expectPublished } from './troubled-shop.ts'

let shop: Shop
beforeAll(async () => {
  shop = await openShop()
  await shop.delivered('sandbox', 'staging')
}, 90_000)
afterAll(() => shop.stop())

/** A command line, in this process: the control plane answers here too. */
async function plumb(...args: string[]): Promise<{ code: number; out: string; notes: string }> {
  const out: string[] = []
  const notes: string[] = []
  const around: Surroundings = {
    print: (line) => out.push(line), note: (line) => notes.push(line), colours: false, width: 120, cwd: shop.dir, env: { dir: shop.dir }, now: () => Date.now(),
    readFile: (path) => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return undefined
      }
    },
  }
  const code = await runCommandLine(args, around, [offlineCommands({ PATH: process.env['PATH'] })])
  return { code, out: out.join('\n'), notes: notes.join('\n') }
}

const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await plumb(...args, '--json')).out) as T
const waiting = (environment: string): Promise<Run> =>
  shop.until(`a run of ${environment} waits for an approval`, async () => {
    const { runs } = await shop.client.runs({ environment })
    return runs.find((run) => run.state === 'waiting' && run.waiting.every((one) => one.waitingFor === 'approval'))
  })

describe('the command, on a control plane that runs', () => {
  test('3: a run that waits for a person; approve releases it, follows it, and ends with 0', async () => {
    const first = await waiting('production')
    const status = await plumb('status', '-e', 'production')
    expect(status.code).toBe(3)
    expect(status.out).toContain(`plumb show ${first.id}; then plumb approve ${first.id} --reason WHY`)
    const deployed = await plumb('deploy', '-e', 'production', '--reason', 'now, please')
    expect(deployed.code).toBe(3)
    const { id } = await waiting('production')
    const approved = await plumb('approve', id.slice(-6), '--reason', 'it went well in staging')
    expect(approved).toMatchObject({ code: 0, out: expect.stringMatching(/^run-\S+ {2}production {2}succeeded/) as string })
    expect(approved.out).toContain('approved  by admin: it went well in staging')
    expect(approved.out).toMatch(/probe {2}passed/)
    expect(approved.notes).toMatch(/production +orders-api +delivered, passed/)
    // Once ended, it cannot be approved again, nor cancelled.
    expect(await plumb('approve', id, '--reason', 'again')).toMatchObject({ code: 1, notes: expect.stringContaining('run-ended') as string })
    expect((await plumb('cancel', 'latest', '-e', 'production', '--reason', 'late')).code).toBe(1)
  }, 60_000)

  test('0: a plan with nothing to do, and every probe asked', async () => {
    const planned = await plumb('plan', '-e', 'sandbox')
    expect(planned).toMatchObject({ code: 0, out: expect.stringMatching(/^sandbox {2}nothing to do/) as string })
    const { plans } = await json<{ plans: { environment: string; outcome: string; plan: { digest: string } }[] }>('plan')
    expect(plans.map((plan) => [plan.environment, plan.plan.digest.slice(0, 7)])).toEqual([['sandbox', 'sha256:'], ['staging', 'sha256:'], ['production', 'sha256:']])
    const verified = await plumb('verify', '-e', 'sandbox', '-m', 'storefront-web', '--reason', 'a look')
    expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('why       a look') as string })
  })

  test('plan shows what a commit changes, field by field, before it is delivered', async () => {
    expect((await plumb('pause', '-e', 'sandbox', '--reason', 'a demonstration', '--for', '10m')).code).toBe(0)
    const commit = await shop.push('storefront', { 'deploy/sandbox/deployment.yaml': (before) => before.replace(/replicas: \d+/, 'replicas: 2') }, 'Two of them \u001b[2J\u0007')
    const held = await shop.settled('sandbox', commit)
    const planned = await plumb('plan', '-e', 'sandbox', '-m', 'storefront-web')
    expect(planned.out).toMatch(/configured Deployment storefront\/storefront-web\n +~ spec\.replicas: 1 -> 2/)
    expect(planned.out).toContain('wait pause')
    expect((await plumb('status', '-e', 'sandbox')).out).toContain('by admin: a demonstration')
    const shown = await plumb('show', held.id)
    expect(shown.out).toContain('Two of them')
    // eslint-disable-next-line no-control-regex
    expect(shown.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    expect(await plumb('resume', '-e', 'sandbox')).toMatchObject({ code: 0, out: 'sandbox goes on.' })
    await shop.until('it is delivered', async () => ((await shop.client.show(held.id)).state === 'succeeded' ? true : undefined))
    expect((await plumb('show', held.id)).out).toContain('~ spec.replicas: 1 -> 2')
  }, 60_000)

  test('1: a probe that fails; the delivery stands, and both are told', async () => {
    const commit = await shop.push('storefront', { 'deploy/module.yaml': (before) => before.replace(/within: \d+s/, 'within: 1s').replace(/status: 200/, 'status: 418') }, 'A teapot')
    await shop.settled('sandbox', commit)
    const verified = await plumb('verify', '-e', 'sandbox', '-m', 'storefront-web')
    expect(verified.code).toBe(1)
    const status = await json<Status>('status', '-e', 'sandbox', '-m', 'storefront-web')
    expect(status.environments[0]?.modules[0]).toMatchObject({ delivery: 'synced', verification: 'failed' })
    expect(await plumb('status')).toMatchObject({ code: 1, out: expect.stringMatching(/^shop.*\n(.*)verification: \d+ failed/) as string })
    expect((await plumb('status', '-e', 'sandbox', '-m', 'storefront-web')).out).toMatch(/storefront-web +synced +failed +\d+[sm] /)
  }, 60_000)

  test('cancel ends a run that has not begun, and the record says who and why', async () => {
    await plumb('pause', '-e', 'staging', '--reason', 'nothing goes there now')
    const commit = await shop.push('storefront', { 'deploy/staging/deployment.yaml': (before) => before.replace(/replicas: \d+/, 'replicas: 3') }, 'Three in staging')
    const { id } = await shop.settled('staging', commit)
    expect((await plumb('cancel', id, '--reason', 'not today')).code).toBe(0)
    const run = await json<Run>('show', id)
    expect(run).toMatchObject({ state: 'cancelled', failure: { code: 'run-cancelled' }, record: { seq: expect.any(Number) as number } })
  })

  test('records verify against the key, and a record that was changed is named', async () => {
    const out = join(shop.dir, 'exported')
    expect((await plumb('record', 'export', '--out', out)).code).toBe(0)
    const key = join(shop.dir, 'keys', 'record.pub.pem')
    expect(await plumb('record', 'verify', out, '--key', key)).toMatchObject({ code: 0, notes: '' })
    const { ok, chains } = await json<{ ok: boolean; chains: { environment: string; records: number }[] }>('record', 'verify', out, '--key', key)
    expect([ok, chains.map((chain) => chain.environment).sort()]).toEqual([true, ['production', 'sandbox', 'staging']])
  })
})

describe('evidence, by the command', () => {
  test('the line of time tells which commit, which run and which verdict, and the repository tells it too', async () => {
    const commit = await shop.push('storefront', { 'deploy/sandbox/configmap.yaml': (text) => `${text}  TOLD: "yes"\n` }, 'Tell it')
    const run = await shop.settled('sandbox', commit)
    const { out } = await plumb('timeline', '-e', 'sandbox', '-m', 'storefront-web', '--since', '1h')
    expect(out).toContain(`storefront ${commit.slice(0, 8)}: Tell it`)
    expect(out).toMatch(new RegExp(`verdict .*verification (passed|failed).*  ${run.id}`))
    const repository = await shop.clone('storefront')
    const git = promisify(execFile)
    const note = await eventually(async () => {
      await git('git', ['-C', repository, 'fetch', '-q', 'origin', '+refs/notes/plumbline:refs/notes/plumbline'])
      const { stdout: told } = await git('git', ['-C', repository, 'log', '-1', '--notes=plumbline', '--format=%N', commit])
      return told.includes('Plumbline: sandbox') ? told : undefined
    })
    expect(note).toContain(`Plumbline: sandbox ${run.state}: delivered, verification ${run.state === 'succeeded' ? 'passed' : 'failed'}; ${run.id}, record sandbox #${run.record?.seq} ${run.record?.digest}`)
  }, 60_000)

  test('records verify from the first key on when it was replaced, whole and one by one, and a changed one is named', async () => {
    const first = join(shop.dir, 'first.pub.pem')
    copyFileSync(join(shop.dir, 'keys', 'record.pub.pem'), first)
    expect((await plumb('record', 'rotate-key', '--reason', 'once a year')).out).toContain('signs from now on')
    const [run] = (await json<{ runs: Run[] }>('runs', '-e', 'sandbox')).runs.filter((one) => one.record !== null)
    expect((await plumb('record', 'export', '--out', 'whole')).code).toBe(0)
    expect(await plumb('record', 'verify', 'whole', '--key', first)).toMatchObject({ code: 0, out: expect.stringContaining('sealed by signed checkpoints: passed') as string })
    expect((await plumb('record', 'export', '--format', 'dsse', '--out', 'one', '--run', run?.id ?? '')).out).toContain(join('sandbox', 'records.dsse.ndjson'))
    expect(await plumb('record', 'verify', join('one', 'sandbox', 'records.dsse.ndjson'), '--key', first)).toMatchObject({ code: 0, out: '1 records: passed' })
    expect(await plumb('record', 'verify', 'one', '--key', first)).toMatchObject({ code: 0, out: expect.stringMatching(/^sandbox: 1 of \d+ records, each signed and with its proof: passed$/) as string })
    expect((await plumb('record', 'export', '--format', 'dsse', '--out', 'signed')).code).toBe(0)
    expect(await plumb('record', 'verify', 'signed', '--key', first)).toMatchObject({ code: 0, out: expect.stringContaining('sealed by signed checkpoints: passed') as string })
    const lines = readFileSync(join(shop.dir, 'signed', 'sandbox', 'records.dsse.ndjson'), 'utf8').trimEnd().split('\n')
    for (const line of lines) expectPublished(Buffer.from((JSON.parse(line) as { payload: string }).payload, 'base64').toString('utf8'))
    expect(await plumb('record', 'export', '--format', 'dsse', '--out', 'again', '--from', 'whole')).toMatchObject({ code: 1, notes: expect.stringContaining('record-key-elsewhere') as string })
    for (const [format, file] of [['html', 'records.html'], ['markdown', 'records.md']] as const) {
      expect((await plumb('record', 'export', '--format', format, '--out', 'page', '--from', 'whole', '--key', first)).out).toContain(file)
      expect(readFileSync(join(shop.dir, 'page', file), 'utf8')).toContain('The records verified with the key')
      // What is for reading proves nothing: that is said, with or without a key.
      for (const words of [['page'], [join('page', file)], [join('page', file), '--key', first]]) expect(await plumb('record', 'verify', ...words)).toMatchObject({ code: 2, out: '', notes: expect.stringMatching(/^record-export-invalid: .*page(?![^]*ENOENT)[^]*`plumb record export/) as string })
    }
    const records = join(shop.dir, 'whole', 'sandbox', 'records.ndjson')
    writeFileSync(records, readFileSync(records, 'utf8').replace('"outcome":"created"', '"outcome":"skipped"'))
    expect(await plumb('record', 'verify', 'whole', '--key', first)).toMatchObject({ code: 1, out: expect.stringMatching(/record \d+ was changed/) as string })
  }, 60_000)
})
