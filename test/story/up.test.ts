import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Status } from '#api/client.ts'
import { systemClock } from '#lib/clock.ts'
import { startApiServer } from '#playground/api/api-server.ts'
import { Fixture } from '#source/fixture.ts'
import { eventually } from '../eventually.ts'
import { postgresMissing } from '../postgres.ts'
import { root } from '../rooms.ts'
import { emptyPlace } from '../stores.ts'
import { askAsAdministrator, configMap, moduleFile, plumbIn, smallWorkspace, writeKubeconfig } from './small-shop.ts'

const missing = postgresMissing()
const dir = mkdtempSync(join(tmpdir(), 'plumbline-up-'))
const undo: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
afterAll(async () => {
  for (const step of undo.toReversed()) await step()
})

/** A workspace that is asked every second: nobody tells of what is pushed. */
const files = (value: string): Record<string, string> => {
  const { 'plumbline.yaml': workspace = '', ...others } = smallWorkspace()
  return { ...others, 'plumbline.yaml': workspace.replace('poll: 1h', 'poll: 1s'), 'app/module.yaml': moduleFile('app'), 'app/manifests/map.yaml': configMap('app', value) }
}

describe.skipIf(missing !== undefined)(`plumb up${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('takes a workspace by its path, clusters by KUBECONFIG and the store of DATABASE_URL, and delivers what nobody told it of', async () => {
    const fixture = new Fixture()
    undo.push(() => fixture[Symbol.dispose]())
    const repository = fixture.repository('shop')
    repository.commit(files('1'))
    const { place, stop } = await emptyPlace('postgres')
    undo.push(stop)
    const cluster = await startApiServer({ dir: join(dir, 'cluster'), port: 0, clock: systemClock, name: 'dev' })
    undo.push(() => cluster.stop())
    const kubeconfig = writeKubeconfig(dir, cluster)

    const env = { PATH: process.env['PATH'], HOME: dir, KUBECONFIG: kubeconfig, DATABASE_URL: 'url' in place ? place.url : '' }
    const up = spawn(process.execPath, [join(root, 'src/main.ts'), 'up', '--workspace', basename(repository.path), '--dir', join(dir, 'here'), '--port', '0', '--json'], { cwd: dirname(repository.path), env, stdio: ['ignore', 'pipe', 'pipe'] })
    undo.push(() => up.kill('SIGKILL'))
    let [out, err] = ['', '']
    up.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
    up.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
    await eventually(() => out.includes('\n') || up.exitCode !== null, 30_000)
    expect(JSON.parse(out)).toEqual({ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) })

    const json = async (command: string): Promise<unknown> => JSON.parse((await plumbIn(join(dir, 'here'), [], command, '--json')).out)
    const delivered = (value: string): Promise<unknown> =>
      eventually(async () => {
        const map = await askAsAdministrator(cluster, 'GET', '/api/v1/namespaces/default/configmaps/app').catch(() => ({ data: {} }))
        const { workspace, environments } = (await json('status')) as Status
        const [app] = environments[0]?.modules ?? []
        return workspace === 'shop' && (map['data'] as { a?: string } | undefined)?.a === value && app?.delivery === 'synced' && app.verification === 'passed'
      }, 20_000)
    await delivered('1')
    repository.commit(files('2'), { message: 'Nobody tells' })
    await delivered('2')
    const states = async (): Promise<string[][]> => ((await json('runs')) as { runs: { state: string; reason: string }[] }).runs.map(({ state, reason }) => [state, reason])
    await eventually(async () => (await states()).every(([state]) => state === 'succeeded'), 20_000)
    expect(await states()).toEqual([['succeeded', 'Nobody tells'], ['succeeded', expect.any(String)]])
    // Nothing of it is in the folder: the store is elsewhere.
    expect(existsSync(join(dir, 'here', 'store'))).toBe(false)
    expect(statSync(join(dir, 'here', 'token')).mode & 0o777).toBe(0o600)

    up.kill('SIGTERM')
    expect(await once(up, 'close')).toEqual([0, null])
    expect(existsSync(join(dir, 'here', 'server.json'))).toBe(false)
    expect(err.trimEnd().endsWith('Stopping …')).toBe(true)
  }, 60_000)
})
