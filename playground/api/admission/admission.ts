import type { KubernetesObject } from '#playground/contract.ts'
import type { Steps } from '../objects/steps.ts'
import { apiServer } from '../objects/own-users.ts'
import { type AdmissionRequest, isExempt } from './admission-request.ts'
import type { Policies } from './policies.ts'
import type { Webhooks } from './webhooks.ts'

/**
 * What a write must pass beside its schema: mutating webhooks before it, policies and validating webhooks after it. Where nothing is configured, nothing
 * is done. Refusals are thrown as `ApiError`s.
 */
export class Admission {
  readonly #policies: Policies
  readonly #webhooks: Webhooks

  constructor(policies: Policies, webhooks: Webhooks) {
    this.#policies = policies
    this.#webhooks = webhooks
  }

  /** The object as mutating webhooks leave it, neither pruned nor defaulted; `undefined` where none was asked. */
  *mutate(request: AdmissionRequest): Steps<KubernetesObject | undefined> {
    if (this.#webhooks.none('mutating') || !isAsked(request)) return undefined
    return yield* this.#webhooks.mutate(request)
  }

  *validate(request: AdmissionRequest): Steps<void> {
    if (request.user === apiServer || isExempt(request)) return
    this.#policies.check(request)
    if (!this.#webhooks.none('validating') && isAsked(request)) yield* this.#webhooks.validate(request)
  }
}

function isAsked(request: AdmissionRequest): boolean {
  return request.user !== apiServer && !isExempt(request)
}
