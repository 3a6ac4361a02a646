import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { didYouMean } from '#lib/nearest.ts'
import type { Environment } from './environment.ts'
import type { Module } from './module.ts'
import type { Operation, OperationStep } from './operation.ts'
import type { ProbeConfig } from './probe.ts'
import type { ProbeSet } from './probe-set.ts'

/** What `${…}` may name in an environment: `environment`, and what its document declares. */
function variablesOf(environment: Environment): Readonly<Record<string, string>> {
  return { ...environment.spec.variables, environment: environment.metadata.name }
}

/**
 * A module as one environment has it: variables substituted in `source.path` and in the strings of probes, nowhere else. `$${` stands for
 * `${` itself. Failure `variable-unknown`.
 */
export function withVariables(module: Module, environment: Environment): Module {
  const variables = variablesOf(environment)
  const subject = `module ${module.metadata.name} in ${environment.metadata.name}`
  const { source, probes } = module.spec
  return {
    ...module,
    spec: {
      ...module.spec,
      source: { ...source, path: substitute(source.path, variables, `${subject}: spec.source.path`) },
      probes: inProbes(probes, variables, `${subject}: spec.probes`),
    },
  }
}

/** The folder of a module's source, from the repository's root. It may lead out of the repository: whoever reads there refuses that. */
export function sourcePath(module: { readonly folder: string }, config: Module): string {
  const path = posix.join(module.folder, config.spec.source.path)
  return path === './' ? '.' : path.replace(/(?<=[^/])\/$/, '')
}

function substitute(text: string, variables: Readonly<Record<string, string>>, subject: string): string {
  return text.replaceAll(/\$\$\{|\$\{([^}]*)\}?/g, (written: string, name: string | undefined) => {
    if (written === '$${') return '${'
    const value = name === undefined || !written.endsWith('}') || !Object.hasOwn(variables, name) ? undefined : variables[name]
    if (value !== undefined) return value
    const known = Object.keys(variables)
    throw new Failure({
      code: 'variable-unknown',
      subject,
      message: written.endsWith('}') ? `no variable ${name} is declared; there are ${known.join(', ')}` : `${written.slice(0, 40)} has no end: expected a }`,
      hint: didYouMean(name ?? '', known).hint ?? 'Declare it in `spec.variables` of every environment that the module goes to, or write $${ for a plain ${.',
    })
  })
}

/** The probes of a set, as one environment has them: nothing but the environment's variables goes into them. Failure `variable-unknown`. */
export function setWithVariables(set: ProbeSet, environment: Environment): ProbeConfig[] {
  return inProbes(set.spec.probes, variablesOf(environment), `probe set ${set.metadata.name} in ${environment.metadata.name}: spec.probes`)
}

/** An environment with its variables in its own probes, as everything but the check of its document takes them. Failure `variable-unknown`. */
export function withOwnVariables(environment: Environment): Environment {
  return { ...environment, spec: { ...environment.spec, probes: ownProbes(environment, 'probes'), changeProbes: ownProbes(environment, 'changeProbes') } }
}

/** An environment's own probes (`spec.probes`, `spec.changeProbes`). Failure `variable-unknown`. */
export function ownProbes(environment: Environment, field: 'probes' | 'changeProbes'): ProbeConfig[] {
  return inProbes(environment.spec[field], variablesOf(environment), `environment ${environment.metadata.name}: spec.${field}`)
}

/** An operation as a run of it in one environment has it: variables, and `${run}`, in all texts of its conditions and steps. Failure `variable-unknown`. */
export function operationWithVariables({ metadata, spec }: Operation, environment: Environment, run: string): Pick<Operation['spec'], 'pre' | 'steps' | 'post'> {
  const variables = { ...variablesOf(environment), run }
  const subject = `operation ${metadata.name} in ${environment.metadata.name}`
  return {
    pre: inProbes(spec.pre, variables, `${subject}: spec.pre`),
    steps: spec.steps.map((step, index) => inValue(step, variables, `${subject}: spec.steps[${index}]`) as OperationStep),
    post: inProbes(spec.post, variables, `${subject}: spec.post`),
  }
}

function inProbes(probes: readonly ProbeConfig[], variables: Readonly<Record<string, string>>, subject: string): ProbeConfig[] {
  return probes.map((probe, index) => {
    const at = `${subject}[${index}]`
    return { ...probe, config: inValue(probe.config, variables, at), across: probe.across.map((config) => inValue(config, variables, at)) }
  })
}

function inValue(value: unknown, variables: Readonly<Record<string, string>>, subject: string): unknown {
  if (typeof value === 'string') return substitute(value, variables, subject)
  if (Array.isArray(value)) return value.map((item) => inValue(item, variables, subject))
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inValue(member, variables, subject)]))
}
