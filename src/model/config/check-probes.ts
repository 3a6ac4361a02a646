import { asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import type { Environment } from './environment.ts'
import type { Complaint } from './issues.ts'
import type { ConfigDocument } from './parse.ts'
import type { ProbeConfig } from './probe.ts'
import type { ProbeSet } from './probe-set.ts'
import { ownProbes, setWithVariables } from './substitute.ts'
import { unknownName } from './unknown-name.ts'

/** Where probe kinds name what they aim at: addresses of the environment, and its targets. */
const aims = [
  { at: ['address'], what: 'address' },
  { at: ['resolver'], what: 'address' },
  { at: ['resolvers'], what: 'address' },
  { at: ['target'], what: 'target' },
  { at: ['lag', 'primary'], what: 'target' },
] as const

/** What one configuration of a probe aims at, by the environment's names for it, and where it says so. */
export function aimsOf(config: unknown): { readonly what: 'address' | 'target'; readonly name: string; readonly path: Complaint['path'] }[] {
  return aims.flatMap(({ at, what }) => {
    const named = at.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined), config)
    return [named].flat().flatMap((name, place) => (typeof name === 'string' ? [{ what, name, path: [...at, ...(Array.isArray(named) ? [place] : [])] }] : []))
  })
}

/** Whether what probes aim at is there. `path`: of the list that they stand in. */
export function* checkAims(probes: readonly ProbeConfig[], path: Complaint['path'], environment: Environment): Generator<Complaint> {
  for (const [index, probe] of probes.entries()) {
    if (probe.across.length === 0) yield* checkAim(probe.config, [...path, index, probe.kind], environment)
    for (const [at, config] of probe.across.entries()) yield* checkAim(config, [...path, index, 'across', at], environment)
  }
}

function* checkAim(config: unknown, path: Complaint['path'], environment: Environment): Generator<Complaint> {
  const known = { address: Object.keys(environment.spec.addresses), target: Object.keys(environment.spec.targets) }
  for (const aim of aimsOf(config)) if (!known[aim.what].includes(aim.name)) yield unknownName([...path, ...aim.path], aim.what, aim.name, known[aim.what], environment)
}

/** The environment's own probes. */
export function* checkOwnProbes(environment: Environment): Generator<Complaint> {
  for (const field of ['probes', 'changeProbes'] as const) yield* substituted(['spec', field], environment, () => checkAims(ownProbes(environment, field), ['spec', field], environment))
}

/** The sets that a module names, in one of its environments. A set that does not suit that environment is a problem of the module that named it there. */
export function* checkNamedSets(names: readonly string[], sets: ReadonlyMap<string, ProbeSet>, environment: Environment): Generator<Complaint> {
  for (const [index, name] of names.entries()) {
    const set = sets.get(name)
    const path = ['spec', 'probeSets', index]
    if (set === undefined) continue
    yield* substituted(path, environment, function* () {
      for (const { what } of checkAims(setWithVariables(set, environment), [], environment)) yield { path, at: 'value', what: `${name}: ${what}` }
    })
  }
}

/** Problems of substitution are told at `path`, more exactly where it has an index. */
function* substituted(path: Complaint['path'], environment: Environment, check: () => Iterable<Complaint>): Generator<Complaint> {
  try {
    yield* check()
  } catch (error) {
    const failure = asFailure(error, environment.metadata.name)
    if (failure.code !== 'variable-unknown') throw error
    yield { path, at: 'value', what: `${failure.message} (${failure.subject})`, ...(failure.hint === undefined ? {} : { hint: failure.hint }) }
  }
}

export function checkProbeSets(documents: readonly Extract<ConfigDocument, { kind: 'ProbeSet' }>[]): FailureJson[] {
  const names = documents.map((document) => document.config.metadata.name)
  return documents.flatMap((document) => {
    const { name } = document.config.metadata
    return names.filter((other) => other === name).length > 1 ? [document.problem({ path: ['metadata', 'name'], at: 'value', what: `there are two probe sets named “${name}”` })] : []
  })
}
