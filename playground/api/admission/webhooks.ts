import { randomUUID } from 'node:crypto'
import { equalJson, isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { KubernetesObject } from '#playground/contract.ts'
import { OutOfTime, withinTime } from '#playground/schema/within-time.ts'
import type { AuditTrail } from '../audit/audit-trail.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { notAsked, type Steps } from '../objects/steps.ts'
import { jsonPatch } from '../patches/json-patch.ts'
import { ApiError, badRequest, forbidden } from '../status.ts'
import { type AdmissionRequest, shownName } from './admission-request.ts'
import { callWebhook } from './call-webhook.ts'
import { requestFields, valuesOf } from './cel-values.ts'
import { conditionsHold, objects } from './evaluate-policy.ts'
import { asMatched, matched, type World } from './matching.ts'
import { addressOf, type Reach } from './webhook-address.ts'

type Sort = 'mutating' | 'validating'
type Hook = { readonly name: string; readonly spec: JsonObject }
type Invocation = Hook & { readonly kind: AdmissionRequest['kind'] }
type Reply = { readonly warnings: readonly string[]; readonly patch: Json | undefined }

const resources: Readonly<Record<Sort, string>> = {
  mutating: 'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  validating: 'admissionregistration.k8s.io/validatingwebhookconfigurations',
}
const conditionMilliseconds = 500

/** Webhooks, called: mutating ones one after another in the order of their configurations' names, validating ones side by side. */
export class Webhooks {
  readonly #world: World
  readonly #authorizer: Authorizer
  readonly #audit: AuditTrail
  readonly #reach: Reach
  readonly #hooks: { [sort in Sort]?: readonly Hook[] } = {}

  constructor(world: World, authorizer: Authorizer, audit: AuditTrail, reach: Reach) {
    this.#world = world
    this.#authorizer = authorizer
    this.#audit = audit
    this.#reach = reach
    world.storage.subscribe((change) => {
      for (const sort of ['mutating', 'validating'] as const) if (change.resource === resources[sort]) delete this.#hooks[sort]
    })
  }

  none(sort: Sort): boolean {
    return this.#of(sort).length === 0
  }

  /** The object as the webhooks that match leave it; `undefined` where none of them changed it. */
  *mutate(request: AdmissionRequest): Steps<KubernetesObject | undefined> {
    let current = request.object()
    let changed = false
    const repeatable: { invocation: Invocation; saw: KubernetesObject | undefined }[] = []
    const round = function* (this: Webhooks, invocation: Invocation): Steps<void> {
      const { patch } = yield* this.#ask('mutating', { ...request, object: () => current }, invocation)
      if (patch === undefined) return
      if (current === undefined) throw internal(`admission webhook "${invocation.name}" attempted to modify the object, which is not supported for this operation`)
      const next = patched(current, patch, request, invocation)
      changed ||= !equalJson(next, current)
      current = next
    }.bind(this)
    for (const hook of this.#of('mutating')) {
      const invocation = this.#matches({ ...request, object: () => current }, hook)
      if (invocation === undefined) continue
      yield* round(invocation)
      if (hook.spec.reinvocationPolicy === 'IfNeeded') repeatable.push({ invocation, saw: current })
    }
    // Once more, for those that want to see what others did after them.
    for (const { invocation, saw } of repeatable) if (!equalJson(saw, current)) yield* round(invocation)
    return changed ? current : undefined
  }

  *validate(request: AdmissionRequest): Steps<void> {
    const invocations = this.#of('validating').flatMap((hook) => this.#matches(request, hook) ?? [])
    if (invocations.length === 0) return
    const settled = (yield () => Promise.allSettled(invocations.map((invocation) => this.#call('validating', request, invocation)))) as PromiseSettledResult<Reply>[] | typeof notAsked
    if (settled === notAsked) return
    for (const each of settled) if (each.status === 'fulfilled') request.warnings.push(...each.value.warnings)
    for (const each of settled) if (each.status === 'rejected') throw each.reason
  }

  *#ask(sort: Sort, request: AdmissionRequest, invocation: Invocation): Steps<Reply> {
    const reply = (yield () => this.#call(sort, request, invocation)) as Reply | typeof notAsked
    if (reply === notAsked) return { warnings: [], patch: undefined }
    request.warnings.push(...reply.warnings)
    return reply
  }

  #of(sort: Sort): readonly Hook[] {
    return (this.#hooks[sort] ??= this.#world.storage
      .list(resources[sort])
      .flatMap((configuration) => objects(configuration.webhooks).map((spec) => ({ name: String(spec.name), spec }))))
  }

  #matches(request: AdmissionRequest, hook: Hook): Invocation | undefined {
    const found = matched(request, { ...hook.spec, rules: hook.spec.rules ?? [] }, this.#world)
    if (found === undefined) return undefined
    const conditions = objects(hook.spec.matchConditions)
    if (conditions.length === 0) return { ...hook, kind: found.kind }
    let verdict: ReturnType<typeof conditionsHold>
    try {
      verdict = withinTime(conditionMilliseconds, () => conditionsHold(conditions, valuesOf(request, found.kind, undefined, this.#authorizer)))
    } catch (error) {
      if (!(error instanceof OutOfTime)) throw error
      verdict = { error: 'validation failed due to running out of cost budget, no further validation rules will be run' }
    }
    if (verdict === 'met') return { ...hook, kind: found.kind }
    if (verdict === 'not-met' || hook.spec.failurePolicy === 'Ignore') return undefined
    throw forbidden(request.kind, shownName(request), verdict.error)
  }

  /** Throws the refusal; what went wrong is no refusal where the webhook's failures are ignored. */
  async #call(sort: Sort, request: AdmissionRequest, { name, spec, kind }: Invocation): Promise<Reply> {
    if (request.dryRun && spec.sideEffects !== 'None' && spec.sideEffects !== 'NoneOnDryRun') throw badRequest(`admission webhook "${name}" does not support dry run`)
    const uid = randomUUID()
    const [object, oldObject] = [asMatched(request.object(), request, kind), asMatched(request.oldObject, request, kind)]
    const fields = { uid, ...requestFields(request, kind), object: object ?? null, oldObject: oldObject ?? null }
    const client = isObject(spec.clientConfig) ? spec.clientConfig : {}
    const ca = typeof client.caBundle === 'string' && client.caBundle !== '' ? Buffer.from(client.caBundle, 'base64').toString('utf8') : undefined
    const seconds = typeof spec.timeoutSeconds === 'number' ? Math.min(Math.max(spec.timeoutSeconds, 1), 30) : 10
    let response: JsonObject
    try {
      const versions = Array.isArray(spec.admissionReviewVersions) ? spec.admissionReviewVersions : []
      if (!versions.includes('v1')) throw new Error('could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)')
      const address = await addressOf(client, this.#world.storage, this.#reach).catch((error: unknown) => Promise.reject(new Error(`failed to call webhook: ${(error as Error).message}`)))
      const review = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: fields }
      const answer = await callWebhook(address, ca, review, seconds).catch((error: unknown) => Promise.reject(new Error(`failed to call webhook: ${(error as Error).message}`)))
      response = verified(answer, uid, sort)
    } catch (error) {
      const why = `failed calling webhook "${name}": ${(error as Error).message}`
      if (spec.failurePolicy !== 'Ignore') throw internal(why)
      this.#audit.annotate(request.user, { [`failed-open.${sort}.webhook.admission.k8s.io/round_0`]: name })
      return { warnings: [], patch: undefined }
    }
    const annotations = isObject(response.auditAnnotations) ? Object.entries(response.auditAnnotations) : []
    this.#audit.annotate(request.user, Object.fromEntries(annotations.map(([key, value]) => [`${name}/${key}`, String(value)])))
    const warnings = Array.isArray(response.warnings) ? response.warnings.map(String) : []
    if (response.allowed !== true) throw denial(name, response.status, [...request.warnings, ...warnings])
    return { warnings, patch: response.patch }
  }
}

/** Source: apiserver `pkg/admission/plugin/webhook/request/admissionreview.go`. */
function verified(review: JsonObject, uid: string, sort: Sort): JsonObject {
  const invalid = (why: string): Error => new Error(`received invalid webhook response: ${why}`)
  const response = review.response
  if (!isObject(response)) throw invalid('webhook response was absent')
  if (response.uid !== uid) throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (review.apiVersion !== 'admission.k8s.io/v1' || review.kind !== 'AdmissionReview') {
    throw invalid(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(review.apiVersion ?? '/')}, Kind=${String(review.kind ?? '')}`)
  }
  const [patch, type] = [response.patch, response.patchType]
  const some = typeof patch === 'string' && patch !== ''
  if (sort === 'validating') {
    if (some) throw invalid('validating webhook may not return response.patch')
    if (type !== undefined) throw invalid('validating webhook may not return response.patchType')
    return response
  }
  if (some && (type === undefined || type === null)) throw invalid('webhook returned response.patch but not response.patchType')
  if (!some && type !== undefined && type !== null) throw invalid('webhook returned response.patchType but not response.patch')
  if (!some) return { ...response, patch: undefined as never }
  if (type !== 'JSONPatch') throw new Error(`unsupported patch type ${JSON.stringify(type)}`)
  try {
    return { ...response, patch: JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as Json }
  } catch (error) {
    throw new Error(`received undecodable patch in webhook response: ${(error as Error).message}`, { cause: error })
  }
}

function patched(object: KubernetesObject, patch: Json, request: AdmissionRequest, { kind, name }: Invocation): KubernetesObject {
  let result: Json
  try {
    result = jsonPatch(structuredClone(asMatched(object, request, kind)) as Json, patch)
  } catch (error) {
    throw internal((error as Error).message)
  }
  if (!isObject(result) || !isObject(result.metadata)) throw internal(`admission webhook "${name}" left no object`)
  return { ...result, apiVersion: object.apiVersion } as KubernetesObject
}

/** Source: apiserver `pkg/admission/plugin/webhook/errors/statuserror.go`. */
function denial(name: string, status: Json | undefined, warnings: readonly string[]): ApiError {
  const told: JsonObject = isObject(status) ? status : {}
  const code = typeof told.code === 'number' && told.code >= 400 ? told.code : 400
  const reason = typeof told.reason === 'string' ? told.reason : ''
  const why = typeof told.message === 'string' && told.message !== '' ? `: ${told.message}` : reason === '' ? ' without explanation' : `: ${reason}`
  const details = isObject(told.details) ? { details: told.details } : {}
  return new ApiError(code, reason, `admission webhook "${name}" denied the request${why}`, { ...details, warnings })
}

function internal(why: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${why}`, { details: { causes: [{ message: why }] } })
}
