import { asFailure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { aimsOf, checkAims } from './check-probes.ts'
import type { Environment, TargetConfig } from './environment.ts'
import type { Complaint } from './issues.ts'
import { isFor } from './operation.ts'
import type { Operation, OperationStep } from './operation.ts'
import type { ConfigDocument } from './parse.ts'
import { operationWithVariables } from './substitute.ts'
import { unknownName } from './unknown-name.ts'

type OperationDocument = Extract<ConfigDocument, { kind: 'Operation' }>

/** What no schema can tell of operations: whether the environments, and the addresses and targets in them, are there. */
export function checkOperations(documents: readonly OperationDocument[], environments: ReadonlyMap<string, Environment>): FailureJson[] {
  const names = documents.map((document) => document.config.metadata.name)
  return documents.flatMap((document) => {
    const { metadata, spec } = document.config
    const complaints: Complaint[] = []
    if (names.filter((other) => other === metadata.name).length > 1) complaints.push({ path: ['metadata', 'name'], at: 'value', what: `there are two operations named “${metadata.name}”` })
    for (const [index, name] of (spec.environments ?? []).entries()) if (!environments.has(name)) complaints.push(unknownName(['spec', 'environments', index], 'environment', name, environments.keys()))
    for (const environment of environments.values()) if (isFor(document.config, environment.metadata.name)) complaints.push(...inEnvironment(document.config, environment))
    return complaints.map((complaint) => document.problem(complaint))
  })
}

function inEnvironment(operation: Operation, environment: Environment): Complaint[] {
  try {
    const { pre, steps, post } = operationWithVariables(operation, environment, 'run')
    return [...checkAims(pre, ['spec', 'pre'], environment), ...checkAims(post, ['spec', 'post'], environment), ...steps.flatMap((step, index) => [...ofStep(step, ['spec', 'steps', index], environment)])]
  } catch (error) {
    const failure = asFailure(error, operation.metadata.name)
    if (failure.code !== 'variable-unknown') throw error
    return [{ path: ['spec'], at: 'value', what: `${failure.message} (${failure.subject})`, ...(failure.hint === undefined ? {} : { hint: failure.hint }) }]
  }
}

/** The sorts of targets that a kind of step works on. */
const sorts = { command: ['kubernetes', 'host'], sql: ['postgres', 'mysql'], patch: ['kubernetes'] } as const

function* ofStep(step: OperationStep, path: Complaint['path'], environment: Environment): Generator<Complaint> {
  const probe = step.probe ?? (step.wait !== undefined && 'until' in step.wait ? step.wait.until : undefined)
  if (probe !== undefined) yield* checkAims([probe], [...path, step.probe === undefined ? 'wait' : 'probe'], environment)
  for (const kind of ['command', 'sql', 'patch'] as const) {
    for (const { name } of aimsOf(step[kind])) {
      const target: TargetConfig | undefined = environment.spec.targets[name]
      const at = [...path, kind, 'target']
      if (target === undefined) yield unknownName(at, 'target', name, Object.keys(environment.spec.targets), environment)
      else if (!sorts[kind].some((sort) => sort in target)) yield { path: at, at: 'value', what: `${name} is a target of another sort in environment ${environment.metadata.name}`, expected: sorts[kind].join(' or ') }
    }
  }
  if (step.patch?.kind === 'Secret') yield { path: [...path, 'patch', 'kind'], at: 'value', what: 'no operation writes Secrets: a module names their references in `secrets`' }
}
