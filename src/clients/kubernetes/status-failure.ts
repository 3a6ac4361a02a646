import { Failure, type Retry } from '#lib/failure.ts'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'

/** What a request was about, for its failures. `secret`: what the server says may repeat values, so its words are not passed on. */
export type About = { readonly subject: string; readonly secret: boolean }

/** A cause as it stands in a failure's `fields.causes`. */
type StatusCause = { readonly reason: string; readonly field: string; readonly message: string }

const longest = 2_000

/** Texts of a Secret's failures that hold names only: what the API machinery itself says, and RBAC. No webhook's, no validation's. */
const harmless = /^(secrets? "[^"]*" (already exists|not found)|Apply failed with \d+ conflicts?: conflicts? with |Operation cannot be fulfilled on secrets |secrets (?:"[^"]*" )?is forbidden: User "[^"]*" cannot )/

/**
 * The failure behind an answer of 400 or more. `fields`: `status` (the HTTP code), `reason`, `object` (`<plural>/<name>`) and `causes` of the
 * Status object that Kubernetes answers (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
 */
export function statusFailure(code: number, body: unknown, about: About): Failure {
  const status = isObject(body) && body['kind'] === 'Status' ? body : {}
  const reason = text(status['reason'])
  const said = text(status['message']).slice(0, longest)
  const causes = causesOf(status, about)
  const details = isObject(status['details']) ? status['details'] : {}
  const object = text(details['name']) === '' ? '' : `${text(details['kind'])}/${text(details['name'])}`
  const message = about.secret && !harmless.test(said) ? withoutWords(code, reason, causes) : said || `the server answered ${code}`
  const [failureCode, retry, hint] = classify(code, reason, said, details, causes)
  return new Failure({
    code: failureCode,
    subject: about.subject,
    message,
    ...(hint === undefined ? {} : { hint }),
    retry,
    fields: { status: code, ...(reason === '' ? {} : { reason }), ...(object === '' ? {} : { object }), ...(causes.length === 0 ? {} : { causes: causes as unknown as Json }) },
  })
}

function classify(code: number, reason: string, said: string, details: JsonObject, causes: readonly StatusCause[]): [string, Retry, string | undefined] {
  if (code === 401) return ['kubernetes-unauthorized', 'later', 'Check the credentials of this context in the kubeconfig: they may have expired.']
  if (code === 404) return ['kubernetes-not-found', 'later', text(details['kind']) === 'namespaces' ? 'Declare the Namespace in the same module, or in one that it depends on.' : undefined]
  if (code === 409) return ['kubernetes-conflict', 'later', undefined]
  if (code === 410) return ['kubernetes-expired', 'now', undefined]
  if (code === 429 || (code >= 500 && !isMalformed(code, said))) return ['kubernetes-failing', 'later', 'The API server, or a webhook that it asks, is in trouble: look at its health and logs.']
  if (causes.some((cause) => cause.reason === 'NamespaceTerminating'))
    return ['kubernetes-refused', 'later', 'Wait until the namespace is gone, and declare it too, so that it is made again. If it stays: kubectl get namespace -o yaml tells in its conditions what holds it.']
  if (code === 403) return ['kubernetes-refused', 'later', reason === 'Forbidden' ? 'The account of this context may not do this, or a policy forbids it.' : undefined]
  return ['kubernetes-refused', 'never', 'Correct the manifest in Git: the server does not take it as it is.']
}

/** A body that the schema does not know is answered by 500 without a reason, though it is the client's fault and nothing was written. */
function isMalformed(code: number, said: string): boolean {
  return code === 500 && /^failed to create typed patch object|^failed to convert new object|field not declared in schema/.test(said)
}

function causesOf(status: JsonObject, { secret }: About): StatusCause[] {
  const details = status['details']
  const causes = isObject(details) && Array.isArray(details['causes']) ? details['causes'] : []
  return causes.filter(isObject).slice(0, 50).map((cause) => {
    const reason = text(cause['reason'])
    const keep = !secret || reason === 'FieldManagerConflict'
    return { reason, field: text(cause['field']), message: keep ? text(cause['message']).slice(0, longest) : '' }
  })
}

function withoutWords(code: number, reason: string, causes: readonly StatusCause[]): string {
  const fields = [...new Set(causes.map((cause) => `${cause.field} (${cause.reason})`))]
  return `the server answered ${code}${reason === '' ? '' : ` ${reason}`}${fields.length === 0 ? '' : ` about ${fields.join(', ')}`}; its words are left out, as they may repeat secret values`
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
