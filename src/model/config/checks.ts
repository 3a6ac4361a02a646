import { asFailure, Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { checkAims, checkNamedSets, checkOwnProbes } from './check-probes.ts'
import type { Environment } from './environment.ts'
import type { Complaint } from './issues.ts'
import type { Broken } from './load.ts'
import { shownFile } from './parse.ts'
import type { ConfigDocument } from './parse.ts'
import type { ProbeSet } from './probe-set.ts'
import { withVariables } from './substitute.ts'
import { unknownName } from './unknown-name.ts'

// What no schema can tell: whether the names that documents use for each other are there.

type WorkspaceDocument = Extract<ConfigDocument, { kind: 'Workspace' }>
type EnvironmentDocument = Extract<ConfigDocument, { kind: 'Environment' }>
export type FoundModule = Extract<ConfigDocument, { kind: 'Module' }> & { readonly repository: string; readonly file: string }

export function checkWorkspace(document: WorkspaceDocument): FailureJson[] {
  const own = Object.entries(document.config.spec.repositories).filter(([, repository]) => repository.url === '.')
  if (own.length === 1) return []
  const path = ['spec', 'repositories']
  const what = 'expected one repository with the url “.”: the workspace’s own'
  return [document.problem({ path, at: 'value', what: own.length === 0 ? what : `${what}; found ${own.map(([name]) => name).join(' and ')}` })]
}

export function checkEnvironments(documents: readonly EnvironmentDocument[]): FailureJson[] {
  const names = documents.map((document) => document.config.metadata.name)
  const after = new Map(documents.map(({ config }) => [config.metadata.name, config.spec.deliver.after?.environment]))
  return documents.flatMap((document) => {
    const { metadata, spec } = document.config
    const complaints: Complaint[] = []
    if (names.filter((name) => name === metadata.name).length > 1) {
      complaints.push({ path: ['metadata', 'name'], at: 'value', what: `there are two environments named “${metadata.name}”` })
    }
    if (spec.drift.adopt.push === 'deployed' && spec.tier !== 'sandbox') {
      complaints.push({ path: ['spec', 'drift', 'adopt', 'push'], at: 'value', what: 'only a sandbox has what it adopts pushed to the branch that is followed' })
    }
    const earlier = spec.deliver.after?.environment
    if (earlier !== undefined) {
      const path = ['spec', 'deliver', 'after', 'environment']
      if (!names.includes(earlier)) complaints.push(unknownName(path, 'environment', earlier, names))
      else if (waitsForItself(metadata.name, after)) complaints.push({ path, at: 'value', what: 'this environment waits for itself' })
    }
    const reachable = [...Object.keys(spec.addresses), ...Object.keys(spec.targets)]
    for (const [index, name] of spec.reach.entries()) {
      if (!reachable.includes(name)) complaints.push(unknownName(['spec', 'reach', index], 'address or target', name, reachable))
    }
    if (Object.hasOwn(spec.variables, 'environment')) complaints.push({ path: ['spec', 'variables', 'environment'], at: 'key', what: 'is the environment’s own name already' })
    complaints.push(...checkOwnProbes(document.config))
    return complaints.map((complaint) => document.problem(complaint))
  })
}

function waitsForItself(name: string, after: ReadonlyMap<string, string | undefined>): boolean {
  const seen = new Set<string>()
  for (let next = after.get(name); next !== undefined && !seen.has(next); next = after.get(next)) {
    if (next === name) return true
    seen.add(next)
  }
  return false
}

export type CheckedModules = { readonly whole: FoundModule[]; readonly broken: Broken[]; readonly problems: FailureJson[] }

/** `environments`: undefined where they are not known, and then what uses them is not checked. `isKnown`: whether a module is there, broken or not; undefined where that cannot be told. */
export function checkModules(
  modules: readonly FoundModule[],
  environments: ReadonlyMap<string, Environment> | undefined,
  isKnown: (name: string) => boolean | undefined,
  names: Iterable<string>,
  unlimited: ReadonlySet<string> = new Set(),
  probeSets: ReadonlyMap<string, ProbeSet> | undefined = undefined,
): CheckedModules {
  const byName = Map.groupBy(modules, (module) => module.config.metadata.name)
  const whole: FoundModule[] = []
  const broken: Broken[] = []
  const problems: FailureJson[] = []
  for (const module of modules) {
    const { name } = module.config.metadata
    const same = byName.get(name) ?? []
    const found = same.length > 1 && !keepsName(module, same, unlimited) ? [duplicate(module, same)] : checkModule(module, environments, isKnown, names, probeSets)
    if (found.length === 0) whole.push(module)
    else broken.push({ repository: module.repository, file: module.file, names: [name] })
    problems.push(...found)
  }
  const circles = inCircles(whole)
  for (const [module, round] of circles) {
    broken.push({ repository: module.repository, file: module.file, names: [module.config.metadata.name] })
    problems.push(circle(module, round))
  }
  return { whole: whole.filter((module) => !circles.has(module)), broken, problems }
}

/** What the platform team itself declares, no product team's repository can stop by declaring it too: it may do everything anyway. */
function keepsName(module: FoundModule, same: readonly FoundModule[], unlimited: ReadonlySet<string>): boolean {
  return unlimited.has(module.repository) && same.every((other) => other === module || !unlimited.has(other.repository))
}

/** The modules that depend on themselves, however far around, each with the names of its round. What only depends on a circle is in none. */
function inCircles(modules: readonly FoundModule[]): Map<FoundModule, string[]> {
  let left = new Map(modules.map((module) => [module.config.metadata.name, module]))
  for (let size = -1; size !== left.size; ) {
    size = left.size
    const needed = new Set([...left.values()].flatMap((module) => module.config.spec.dependsOn))
    left = new Map([...left].filter(([name, module]) => needed.has(name) && module.config.spec.dependsOn.some((other) => left.has(other))))
  }
  return new Map([...left.values()].flatMap((module) => roundOf(module, left).map((round) => [module, round] as const)))
}

/** The shortest way from a module back to itself; none where it only lies between circles. */
function roundOf(module: FoundModule, left: ReadonlyMap<string, FoundModule>): string[][] {
  const start = module.config.metadata.name
  const seen = new Set<string>()
  for (let ways = [[start]]; ways.length > 0; ) {
    const next: string[][] = []
    for (const way of ways)
      for (const other of left.get(way.at(-1) ?? '')?.config.spec.dependsOn ?? []) {
        if (other === start) return [way]
        if (!left.has(other) || seen.has(other)) continue
        seen.add(other)
        next.push([...way, other])
      }
    ways = next
  }
  return []
}

function circle(module: FoundModule, round: readonly string[]): FailureJson {
  const at = module.problem({ path: ['spec', 'dependsOn'], at: 'value', what: '' })
  return new Failure({
    code: 'dependency-circle',
    subject: at.subject,
    message: `modules depend on each other in a circle: ${[...round, round[0]].join(' -> ')}`,
    hint: 'Remove one of these entries of dependsOn. Until then none of them is delivered, and nothing of them is deleted.',
    fields: { ...at.fields, modules: [...round] },
  }).toJSON()
}

/** All of that name are left out: which one is meant, only people know. */
function duplicate(module: FoundModule, same: readonly FoundModule[]): FailureJson {
  const { name } = module.config.metadata
  const others = same.filter((other) => other !== module).map((other) => `${shownFile(other)}:${other.line}`)
  const at = module.problem({ path: ['metadata', 'name'], at: 'value', what: '' })
  return new Failure({
    code: 'module-duplicate',
    subject: at.subject,
    message: `module “${name}” is also declared in ${others.join(', ')}`,
    hint: 'A module’s name is unique in the whole workspace: rename one. Until then none of them is delivered, and nothing of them is deleted.',
    fields: { ...at.fields, module: name, others },
  }).toJSON()
}

function checkModule(module: FoundModule, environments: ReadonlyMap<string, Environment> | undefined, isKnown: (name: string) => boolean | undefined, names: Iterable<string>, probeSets: ReadonlyMap<string, ProbeSet> | undefined): FailureJson[] {
  const { spec } = module.config
  const problems: FailureJson[] = []
  const complain = (complaint: Complaint): void => void problems.push(module.problem(complaint))
  for (const [index, name] of (spec.environments ?? []).entries()) {
    if (environments?.has(name) === false) complain(unknownName(['spec', 'environments', index], 'environment', name, environments?.keys() ?? []))
  }
  for (const [index, name] of spec.dependsOn.entries()) {
    if (isKnown(name) === false) complain(unknownName(['spec', 'dependsOn', index], 'module', name, names))
  }
  for (const [index, name] of spec.probeSets.entries()) {
    if (probeSets?.has(name) === false) complain(unknownName(['spec', 'probeSets', index], 'probe set', name, probeSets.keys()))
  }
  for (const environment of environments?.values() ?? []) {
    if (spec.environments !== undefined && !spec.environments.includes(environment.metadata.name)) continue
    if (!Object.hasOwn(environment.spec.targets, spec.target)) {
      complain(unknownName(['spec', 'target'], 'target', spec.target, Object.keys(environment.spec.targets), environment))
    }
    try {
      for (const complaint of checkAims(withVariables(module.config, environment).spec.probes, ['spec', 'probes'], environment)) complain(complaint)
      for (const complaint of checkNamedSets(spec.probeSets, probeSets ?? new Map(), environment)) complain(complaint)
    } catch (error) {
      const failure = asFailure(error, shownFile(module))
      if (failure.code !== 'variable-unknown') throw error
      const inProbes = /spec\.probes\[(\d+)\]$/.exec(failure.subject)?.[1]
      const path = inProbes === undefined ? ['spec', 'source', 'path'] : ['spec', 'probes', Number(inProbes)]
      complain({ path, at: 'value', what: `${failure.message} (environment ${environment.metadata.name})`, ...(failure.hint === undefined ? {} : { hint: failure.hint }) })
    }
  }
  return problems
}
