import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What a room may import: rooms of src/ by name; `types:` only the types of it; `contract:<file>` one file of it. */
export const rules: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  model: ['lib'],
  plan: ['model', 'lib'],
  drift: ['model', 'lib'],
  gate: ['model', 'lib'],
  clients: ['model', 'lib'],
  source: ['model', 'lib'],
  render: ['model', 'lib'],
  compose: ['model', 'lib', 'clients'],
  drivers: ['model', 'lib', 'clients'],
  probes: ['model', 'lib', 'clients'],
  secrets: ['model', 'lib', 'clients'],
  record: ['model', 'lib'],
  store: ['model', 'lib'],
  run: [
    'lib', 'model', 'plan', 'drift', 'gate', 'source', 'render', 'compose', 'record', 'store',
    'contract:drivers/driver.ts', 'contract:probes/probe.ts', 'contract:secrets/provider.ts', 'types:clients',
  ],
  api: ['model', 'lib', 'run', 'store', 'contract:secrets/provider.ts'],
  cli: ['model', 'lib', 'contract:api/client.ts'],
  playground: ['lib'],
}

/** Rooms whose folders are siblings behind one contract: a folder imports no other folder of its room. */
export const walled: readonly string[] = ['drivers', 'probes', 'secrets']

/** `written`: as it stands in the file; `to`: the file that it leads to. */
export type Import = { readonly from: string; readonly written: string; readonly to: string; readonly typeOnly: boolean }

export function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file))
}

/** The imports of a file that stay in this package, as paths from its root. */
export function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  const parsed = parseSync(file, text)
  if (parsed.errors.length > 0) throw new Error(`${file} does not parse: ${parsed.errors[0]?.message}`)
  const found: { specifier: string; typeOnly: boolean }[] = []
  for (const statement of parsed.program.body) {
    if (statement.type === 'ImportDeclaration') {
      const typeOnly = statement.importKind === 'type' ||
        (statement.specifiers.length > 0 && statement.specifiers.every((one) => one.type === 'ImportSpecifier' && one.importKind === 'type'))
      found.push({ specifier: statement.source.value, typeOnly })
    } else if ((statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportAllDeclaration') && statement.source) {
      found.push({ specifier: statement.source.value, typeOnly: statement.exportKind === 'type' })
    }
  }
  for (const call of parsed.module.dynamicImports) {
    const specifier = text.slice(call.moduleRequest.start, call.moduleRequest.end).replace(/^['"`]|['"`]$/g, '')
    found.push({ specifier, typeOnly: false })
  }
  return found.flatMap(({ specifier, typeOnly }) => {
    const to = resolveSpecifier(file, specifier)
    return to === undefined ? [] : [{ from: file, written: specifier, to, typeOnly }]
  })
}

function resolveSpecifier(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('#playground/')) return `playground/${specifier.slice('#playground/'.length)}`
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  if (specifier.startsWith('.')) return relative('.', normalize(join(dirname(file), specifier)))
  return undefined
}

/** The room of a file: a folder of src/, `playground`, or undefined for main.ts, offline.ts and tests. */
export function roomOf(file: string): string | undefined {
  const [top, room, ...rest] = file.split('/')
  if (top === 'playground') return 'playground'
  if (top === 'src' && rest.length > 0) return room
  return undefined
}

/** Why an import breaks the rule; undefined when it keeps it. */
export function breach(one: Omit<Import, 'written'>): string | undefined {
  const room = roomOf(one.from)
  if (room === undefined) return undefined
  const target = roomOf(one.to)
  if (target === undefined) return `${one.from} imports ${one.to}, which is no room's`
  const inside = one.to.replace(/^src\//, '')
  if (target === room) {
    const [, from] = one.from.replace(/^src\//, '').split('/')
    const [, to, deeper] = inside.split('/')
    const sibling = walled.includes(room) && deeper !== undefined && from !== to && one.from.split('/').length > 3
    return sibling ? `${one.from} imports its sibling ${one.to}` : undefined
  }
  const allowed = rules[room] ?? []
  if (allowed.includes(target) || allowed.includes(`contract:${inside}`)) return undefined
  if (allowed.includes(`types:${target}`) && one.typeOnly) return undefined
  return `${one.from} imports ${one.to}: ${room} may import ${allowed.join(', ') || 'nothing of ours'}`
}

/** Whether a written import climbs over a wall unseen: two folders up or more, or out of its room by `../`. */
export function climbs({ from, written, to }: Omit<Import, 'typeOnly'>): boolean {
  return written.startsWith('../../') || (written.startsWith('../') && roomOf(from) !== roomOf(to))
}
