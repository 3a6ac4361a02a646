import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claims, configMaps, pods, secrets, type Container, type Pod, type Volume } from '#playground/controllers/kinds.ts'
import { World } from '#playground/controllers/world.ts'
import { claimFolders } from './claim-folders.ts'
import { environmentOf } from './environment.ts'
import { PodVolumes } from './volumes.ts'

let dir: string
let world: World
let volumes: PodVolumes
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'plumb-volumes-'))
  world = new World()
  volumes = new PodVolumes(world.objects, join(dir, 'pod'), (_, name) => join(dir, 'claims', name))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const container = (mounts: NonNullable<Container['volumeMounts']>): Container => ({ name: 'app', image: 'x', volumeMounts: mounts })
const pod = (list: Volume[], app: Container): Pod => world.objects.create(pods, { metadata: { name: `p${list.length}`, namespace: 'shop' }, spec: { containers: [app], volumes: list } }, 'test')
const config = (data: Record<string, string>): unknown => world.objects.create(configMaps, { metadata: { name: 'conf', namespace: 'shop' }, data }, 'test')

test('a ConfigMap and a Secret are files, private, and follow their objects', () => {
  config({ title: 'one', old: 'x' })
  world.objects.create(secrets, { metadata: { name: 'key', namespace: 'shop' }, data: { token: Buffer.from('s3cret').toString('base64') } }, 'test')
  const app = container([{ name: 'conf', mountPath: '/etc/app' }, { name: 'key', mountPath: '/run/key' }])
  const made = pod([{ name: 'conf', configMap: { name: 'conf' } }, { name: 'key', secret: { secretName: 'key' } }], app)
  volumes.prepare(made)
  const root = volumes.rootOf(made, app)
  expect(readFileSync(join(root, 'etc/app/title'), 'utf8')).toBe('one')
  expect(readFileSync(join(root, 'run/key/token'), 'utf8')).toBe('s3cret')
  expect(statSync(join(root, 'run/key/token')).mode & 0o777).toBe(0o600)
  world.objects.edit(configMaps, { namespace: 'shop', name: 'conf' }, 'object', 'test', (object) => void (object.data = { title: 'two' }))
  volumes.prepare(made)
  expect(readFileSync(join(root, 'etc/app/title'), 'utf8')).toBe('two')
  expect(existsSync(join(root, 'etc/app/old'))).toBe(false)
  volumes.remove()
  expect(existsSync(root)).toBe(false)
})

test('items choose and rename, subPath mounts one file, and a missing key is told', () => {
  config({ title: 'one', other: 'x' })
  const items = [{ key: 'title', path: 'deep/name' }]
  const app = container([{ name: 'conf', mountPath: '/a' }, { name: 'conf', mountPath: '/b/file', subPath: 'deep/name' }])
  const made = pod([{ name: 'conf', configMap: { name: 'conf', items } }], app)
  volumes.prepare(made)
  const root = volumes.rootOf(made, app)
  expect(readFileSync(join(root, 'a/deep/name'), 'utf8')).toBe('one')
  expect(readFileSync(join(root, 'b/file'), 'utf8')).toBe('one')
  expect(existsSync(join(root, 'a/other'))).toBe(false)
  const broken = pod([{ name: 'conf', configMap: { name: 'conf', items: [{ key: 'none', path: 'x' }] } }, { name: 'more', emptyDir: {} }], app)
  expect(() => volumes.prepare(broken)).toThrow('non-existent config key: none')
})

test.each(['../../../escaped', '/../../escaped', 'a/../../../escaped'])('no path of a manifest leaves the pod’s folder: %s', (path) => {
  config({ title: 'one' })
  const app = container([{ name: 'conf', mountPath: `/x/${path}` }, { name: 'conf', mountPath: '/y', subPath: path }])
  const made = pod([{ name: 'conf', configMap: { name: 'conf', items: [{ key: 'title', path: path.replace(/^\.\.\//, './') }] } }], app)
  volumes.prepare(made)
  volumes.rootOf(made, app)
  expect(readdirSync(dir)).toEqual(['pod'])
  expect(readdirSync(join(dir, 'pod')).sort()).toEqual(['roots', 'volumes'])
})

test('a file named like the kubelet’s own links is refused', () => {
  config({ '..data': 'x' })
  expect(() => volumes.prepare(pod([{ name: 'conf', configMap: { name: 'conf' } }], container([])))).toThrow('..data')
})

test('a manifest cannot load code into a pod’s program', () => {
  const env = ['NODE_OPTIONS', 'LD_PRELOAD', 'DYLD_INSERT_LIBRARIES', 'PLAYGROUND_HOST', 'FINE'].map((name) => ({ name, value: '--import=/tmp/x.js' }))
  const app: Container = { name: 'app', image: 'x', env }
  expect(environmentOf(world.objects, pod([], app), app, { podIp: '', nodeIp: '', nodeName: '' })).toEqual({ FINE: '--import=/tmp/x.js' })
})

test('a claim’s folder is there while it is bound, and goes with it', () => {
  const folders = claimFolders(world.objects, dir)
  const claim = world.objects.create(claims, { metadata: { name: 'data', namespace: 'shop' }, spec: {} }, 'test')
  expect(folders.of('shop', 'data')).toBeUndefined()
  world.objects.edit(claims, claim.metadata, 'status', 'test', (object) => void (object.status = { phase: 'Bound' }))
  const folder = folders.of('shop', 'data') ?? ''
  expect(folder).toBe(join(dir, claim.metadata.uid))
  world.objects.delete(claims, claim.metadata)
  expect(existsSync(folder)).toBe(false)
  folders.stop()
})
