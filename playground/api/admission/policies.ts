import { isObject, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { OutOfTime, withinTime } from '#playground/schema/within-time.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { ApiError, forbidden } from '../status.ts'
import { type AdmissionRequest, shownName } from './admission-request.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import { valuesOf } from './cel-values.ts'
import { evaluatePolicy } from './evaluate-policy.ts'
import { matched, type World } from './matching.ts'
import { paramsFor } from './params.ts'

/** For all policies of one request together; a real server counts a cost instead. */
const milliseconds = 3_000
const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run'
const resources = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'].map((plural) => `admissionregistration.k8s.io/${plural}`) as [string, string]
const codes: ReadonlyMap<string, number> = new Map([['Forbidden', 403], ['Unauthorized', 401], ['RequestEntityTooLarge', 413], ['Invalid', 422]])
const mostFailures = 50

type Policy = { readonly name: string; readonly spec: JsonObject; readonly bindings: readonly { readonly name: string; readonly spec: JsonObject }[] }
type Denial = { readonly policy: string; readonly binding?: string; readonly message: string; readonly reason: string }
type Verdict = { readonly denials: Denial[]; readonly failures: JsonObject[]; readonly annotations: Record<string, string> }

/** ValidatingAdmissionPolicies that are bound, enforced. Source: apiserver `pkg/admission/plugin/policy/validating/dispatcher.go`. */
export class Policies {
  readonly #world: World
  readonly #authorizer: Authorizer
  readonly #audit: AuditTrail
  #policies: readonly Policy[] | undefined

  constructor(world: World, authorizer: Authorizer, audit: AuditTrail) {
    this.#world = world
    this.#authorizer = authorizer
    this.#audit = audit
    world.storage.subscribe((change) => {
      if (resources.includes(change.resource)) this.#policies = undefined
    })
  }

  /** Throws the refusal; adds the warnings. */
  check(request: AdmissionRequest): void {
    const policies = (this.#policies ??= this.#index())
    if (policies.length === 0) return
    const matching = policies.flatMap((policy) => {
      const found = matched(request, isObject(policy.spec.matchConstraints) ? policy.spec.matchConstraints : {}, this.#world)
      return found === undefined ? [] : [{ policy, kind: found.kind }]
    })
    if (matching.length === 0) return
    const verdict: Verdict = { denials: [], failures: [], annotations: {} }
    for (const { policy, kind } of matching) this.#judge(request, policy, kind, verdict)
    const { failures, annotations, denials } = verdict
    if (failures.length > 0) annotations['validation.policy.admission.k8s.io/validation_failure'] = JSON.stringify(failures.slice(0, mostFailures))
    this.#audit.annotate(request.user, annotations)
    const [first] = denials
    if (first !== undefined) throw refusal(request, first)
  }

  #judge(request: AdmissionRequest, policy: Policy, kind: AdmissionRequest['kind'], verdict: Verdict): void {
    const fails = policy.spec.failurePolicy !== 'Ignore'
    const misconfigured = (problem: string, of: 'policy' | 'binding', binding: string): void => {
      if (fails) verdict.denials.push({ policy: policy.name, ...(of === 'binding' ? { binding } : {}), message: `failed to configure ${of}: ${problem}`, reason: '' })
    }
    for (const binding of policy.bindings) {
      if (isObject(binding.spec.matchResources) && matched(request, binding.spec.matchResources, this.#world) === undefined) continue
      const collected = paramsFor(optional(policy.spec.paramKind), optional(binding.spec.paramRef), request.namespace, this.#world)
      if ('problem' in collected) {
        misconfigured(collected.problem, collected.of, binding.name)
        continue
      }
      const ofNamespace = request.kind.group === '' && request.kind.plural === 'namespaces'
      const namespace = ofNamespace || request.namespace === '' ? undefined : this.#world.storage.get('/namespaces', `/${request.namespace}`)
      for (const param of collected.params) this.#evaluate(request, policy, binding, { kind, namespace, param, fails }, verdict)
    }
  }

  #evaluate(
    request: AdmissionRequest,
    policy: Policy,
    binding: Policy['bindings'][number],
    { kind, namespace, param, fails }: { kind: AdmissionRequest['kind']; namespace: KubernetesObject | undefined; param: KubernetesObject | undefined; fails: boolean },
    verdict: Verdict,
  ): void {
    const actions = Array.isArray(binding.spec.validationActions) ? binding.spec.validationActions.map(String) : ['Deny']
    const [policyName, bindingName] = [policy.name, binding.name]
    let evaluated: ReturnType<typeof evaluatePolicy>
    try {
      evaluated = withinTime(milliseconds, () => evaluatePolicy(policy.spec, valuesOf(request, kind, namespace, this.#authorizer), param))
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error
      evaluated = { failed: [{ index: 0, message: outOfBudget, reason: '', errored: true }], annotations: {}, problems: [] }
    }
    for (const { index, message, reason, errored } of evaluated.failed) {
      if (errored && !fails) continue
      if (actions.includes('Deny')) verdict.denials.push({ policy: policyName, binding: bindingName, message, reason })
      if (actions.includes('Warn')) request.warnings.push(`Validation failed for ValidatingAdmissionPolicy '${policyName}' with binding '${bindingName}': ${message}`)
      if (actions.includes('Audit')) verdict.failures.push({ message, policy: policyName, binding: bindingName, expressionIndex: index, validationActions: actions })
    }
    for (const message of fails ? evaluated.problems : []) verdict.denials.push({ policy: policyName, binding: bindingName, message, reason: '' })
    for (const [key, value] of Object.entries(evaluated.annotations)) {
      const known = verdict.annotations[`${policyName}/${key}`]
      verdict.annotations[`${policyName}/${key}`] = known === undefined || known === value ? value : `${known}, ${value}`
    }
  }

  #index(): Policy[] {
    const { storage } = this.#world
    const bindings = storage.list(resources[1]).map((binding) => ({ name: binding.metadata.name ?? '', spec: optional(binding.spec) ?? {} }))
    return storage.list(resources[0]).flatMap((policy) => {
      const name = policy.metadata.name ?? ''
      const own = bindings.filter(({ spec }) => spec.policyName === name)
      return own.length === 0 ? [] : [{ name, spec: optional(policy.spec) ?? {}, bindings: own }]
    })
  }
}

function optional(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** A refusal is called `Invalid` where the policy does not say otherwise, though its words are those of `Forbidden`. */
function refusal(request: AdmissionRequest, { policy, binding, message, reason }: Denial): ApiError {
  const by = binding === undefined ? `ValidatingAdmissionPolicy '${policy}'` : `ValidatingAdmissionPolicy '${policy}' with binding '${binding}'`
  const why = `${by} denied request: ${message}`
  const { message: whole, status } = forbidden(request.kind, shownName(request), why)
  const details = { ...(isObject(status.details) ? status.details : {}), causes: [{ message: why }] }
  const named = reason === '' ? 'Invalid' : reason
  return new ApiError(codes.get(named) ?? 422, named, whole, { details, warnings: request.warnings })
}

