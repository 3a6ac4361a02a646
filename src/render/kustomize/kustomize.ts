import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json, JsonObject } from '#lib/json.ts'
import { readYaml } from '#lib/yaml.ts'
import type { YamlDocument } from '#lib/yaml.ts'
import { follow } from '../follow.ts'
import { flatten } from '../plain/plain.ts'
import type { RenderCall, RenderedDocument, Renderer } from '../renderer.ts'
import type { KustomizeTool } from '../tools.ts'
import { collect, kustomizationNames } from './collect.ts'
import type { Collected } from './collect.ts'

const origin = 'config.kubernetes.io/origin'
const outputLimits = { bytes: 32 * 1024 * 1024, depth: 100, documents: 20_000, aliases: 0, copied: 0 }

/**
 * Kustomize, by the `kustomize` or `kubectl` that is there, in a private tree that holds just the files that it needs: no checkout, no links,
 * no plugins, no network, no inherited environment. Failures: `kustomize-not-found`, `kustomize-failed`, those of `collect` and `runProcess`.
 */
export const kustomize: Renderer = {
  id: 'kustomize',
  fingerprint: async (call) => (await toolOf(call)).version,
  detect: async (reader, path) => (await Promise.all(kustomizationNames.map((name) => follow(reader, posix.join(path, name))))).some((entry) => entry?.type === 'blob'),
  render: async (call, reader, path) => {
    const collected = await collect(reader, call.tools.blobs, path)
    const tool = await toolOf(call)
    const output = await build(tool, call, collected, `${reader.repository}/${path}`)
    const documents = readYaml(output, { file: `${reader.repository}/${path} (rendered)`, rules: '1.1', limits: outputLimits })
    return documents.flatMap(({ value }) => flatten(value)).map((value) => placed(value, collected))
  },
}

async function toolOf({ tools }: RenderCall): Promise<KustomizeTool> {
  const tool = await tools.kustomize()
  if (tool !== undefined) return tool
  throw new Failure({
    code: 'kustomize-not-found',
    subject: 'kustomize',
    message: 'neither kustomize (4.5 or later) nor kubectl (1.24 or later) is on the PATH of Plumbline',
    hint: 'Install one of them where Plumbline runs, or render the folder in CI and commit plain manifests.',
    retry: 'later',
  })
}

async function build(tool: KustomizeTool, call: RenderCall, collected: Collected, subject: string): Promise<Buffer> {
  const temp = await mkdtemp(join(call.tools.tempDir, 'plumbline-kustomize-'))
  try {
    const tree = join(temp, 'tree')
    const home = join(temp, 'home')
    await mkdir(home, { recursive: true })
    for (const [path, content] of collected.files) {
      const file = join(tree, path)
      await mkdir(join(file, '..'), { recursive: true })
      await writeFile(file, content, { flag: 'wx' })
    }
    const { code, stdout, stderr } = await tool.build(join(tree, collected.folder), home, call.signal)
    if (code === 0) return stdout
    throw new Failure({
      code: 'kustomize-failed',
      subject,
      message: `${tool.version} refused it: ${stderr.replaceAll(`${tree}/`, '').replaceAll(temp, '').trim().slice(0, 2_000) || `exit code ${code}`}`,
      hint: `Run \`kustomize build\` there to see the same.`,
    })
  } finally {
    await rm(temp, { recursive: true, force: true })
  }
}

/** Finds where an object is written, by kustomize's own annotation, and takes that off. */
function placed(value: Json, collected: Collected): RenderedDocument {
  const fallback = posix.join(collected.folder, 'kustomization.yaml')
  if (!isObject(value) || !isObject(value['metadata']) || !isObject(value['metadata']['annotations'])) return { value, file: fallback, line: 1 }
  const { [origin]: note, ...annotations } = value['metadata']['annotations']
  if (typeof note !== 'string') return { value, file: fallback, line: 1 }
  const file = posix.join(collected.folder, /^(?:path|configuredIn): (.+)$/m.exec(note)?.[1]?.trim() ?? 'kustomization.yaml')
  const { annotations: _, ...metadata } = value['metadata']
  const clean: JsonObject = { ...value, metadata: Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations } }
  return { value: collected.keepsOrigins ? value : clean, file, line: lineOf(value, collected.documents.get(file) ?? []) }
}

/** The document of that kind whose name the object's holds: names get prefixes and suffixes on their way. */
function lineOf(value: JsonObject, documents: readonly YamlDocument[]): number {
  const name = nameOf(value) ?? ''
  const found = documents.find((document) => isObject(document.value) && document.value['kind'] === value['kind'] && name.includes(nameOf(document.value) ?? name))
  return found?.line ?? 1
}

function nameOf(value: JsonObject): string | undefined {
  const name = isObject(value['metadata']) ? value['metadata']['name'] : undefined
  return typeof name === 'string' ? name : undefined
}
