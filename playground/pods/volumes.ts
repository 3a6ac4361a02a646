import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { Container, Pod, Volume } from '#playground/controllers/kinds.ts'
import type { TypedObjects } from '#playground/controllers/typed-objects.ts'
import { configMapData, CreateContainerConfigError, secretData } from './environment.ts'

/**
 * A pod's files. Nothing is mounted: each container has a root folder of its own, in which a mount path is a link to the volume's folder, and
 * the programs read their files below `PLAYGROUND_ROOT`. A claim's data lives in `<claims>/<uid>` and outlives the pod.
 */
export class PodVolumes {
  readonly #objects: TypedObjects
  readonly #dir: string
  readonly #claimDir: (namespace: string, name: string) => string | undefined

  constructor(objects: TypedObjects, dir: string, claimDir: (namespace: string, name: string) => string | undefined) {
    this.#objects = objects
    this.#dir = dir
    this.#claimDir = claimDir
  }

  /** Writes (again) what ConfigMaps and Secrets hold now. Throws `CreateContainerConfigError` while something is missing. */
  prepare(pod: Pod): void {
    for (const volume of pod.spec.volumes ?? []) {
      const files = this.#filesOf(pod.metadata.namespace, volume)
      if (files !== undefined) replaceFolder(this.#folder(volume.name), files)
      else if (volume.persistentVolumeClaim === undefined) mkdirSync(this.#folder(volume.name), { recursive: true, mode: 0o700 })
    }
  }

  /** The container's root folder, with a link for each of its mounts. */
  rootOf(pod: Pod, container: Container): string {
    const root = join(this.#dir, 'roots', container.name)
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root, { recursive: true, mode: 0o700 })
    for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
      const volume = pod.spec.volumes?.find((candidate) => candidate.name === name)
      const inside = volume === undefined ? undefined : this.#target(pod.metadata.namespace, volume)
      if (inside === undefined) continue
      const link = join(root, normalize(`/${mountPath}`))
      mkdirSync(dirname(link), { recursive: true, mode: 0o700 })
      symlinkSync(subPath === undefined ? inside : join(inside, normalize(`/${subPath}`)), link)
    }
    return root
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true })
  }

  #folder(volume: string): string {
    return join(this.#dir, 'volumes', volume)
  }

  #target(namespace: string, volume: Volume): string | undefined {
    if (volume.persistentVolumeClaim === undefined) return this.#folder(volume.name)
    const { claimName } = volume.persistentVolumeClaim
    const dir = this.#claimDir(namespace, claimName)
    if (dir === undefined) throw new CreateContainerConfigError(`persistentvolumeclaim "${claimName}" not found`)
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    return dir
  }

  #filesOf(namespace: string, { configMap, secret }: Volume): Record<string, string> | undefined {
    if (configMap !== undefined) return chosen(configMapData(this.#objects, namespace, configMap.name, configMap.optional), configMap.items)
    if (secret !== undefined) return chosen(secretData(this.#objects, namespace, secret.secretName, secret.optional), secret.items)
    return undefined
  }
}

function chosen(data: Record<string, string> = {}, items: readonly { key: string; path: string }[] | undefined): Record<string, string> {
  if (items === undefined) return data
  return Object.fromEntries(
    items.map(({ key, path }) => {
      const value = data[key]
      if (value === undefined) throw new CreateContainerConfigError(`references non-existent config key: ${key}`)
      return [path, value]
    }),
  )
}

/** As the kubelet does it: a new folder, then the link `..data` is turned to it, so that a reader never sees half of a change. */
function replaceFolder(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const odd = Object.keys(files).find((path) => path.startsWith('..'))
  if (odd !== undefined) throw new CreateContainerConfigError(`a file cannot be named ${odd}`)
  const before = readdirSync(folder).filter((name) => name.startsWith('..v'))
  const version = `..v${1 + Math.max(0, ...before.map((name) => Number(name.slice(3)) || 0))}`
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, version, normalize(`/${path}`))
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, content, { mode: 0o600 })
  }
  mkdirSync(join(folder, version), { recursive: true, mode: 0o700 })
  const next = join(folder, '..next')
  rmSync(next, { force: true })
  symlinkSync(version, next)
  renameSync(next, join(folder, '..data'))
  const tops = new Set(Object.keys(files).map((path) => normalize(`/${path}`).split('/')[1] ?? ''))
  for (const name of readdirSync(folder)) {
    if (!name.startsWith('..') && !tops.has(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }
  for (const name of tops) {
    const link = join(folder, name)
    rmSync(link, { recursive: true, force: true })
    symlinkSync(join('..data', name), link)
  }
  for (const name of before) rmSync(join(folder, name), { recursive: true, force: true })
}
