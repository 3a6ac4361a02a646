import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '#lib/json.ts'
import { newCertificates } from '#playground/api/certificates.ts'

/** What a webhook answers: the `response` of its AdmissionReview without the uid, or a whole HTTP answer, or nothing ever. */
export type Answer = { readonly response: JsonObject } | { readonly status: number; readonly body: string } | 'hang'

export type WebhookServer = {
  readonly url: string
  readonly port: number
  /** The authority of its certificate, as a `caBundle`. */
  readonly caBundle: string
  /** What was asked, oldest first: the `request` of each AdmissionReview. */
  readonly asked: JsonObject[]
  /** What is answered from now on. */
  answer: (request: JsonObject) => Answer | Promise<Answer>
  close(): Promise<void>
}

/** For tests: an admission webhook over HTTPS on loopback; it allows everything until it is told otherwise. `names` are those of its certificate. */
export async function webhookServer(names: readonly string[] = ['localhost']): Promise<WebhookServer> {
  const { ca, certificate, key } = newCertificates('webhook', names)
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const review = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { request: JsonObject }
      made.asked.push(review.request)
      const answer = await made.answer(review.request)
      if (answer === 'hang') return
      const whole = 'response' in answer ? { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: review.request.uid, ...answer.response } } : undefined
      response.writeHead('status' in answer ? answer.status : 200, { 'content-type': 'application/json' })
      response.end('body' in answer ? answer.body : JSON.stringify(whole))
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const made: WebhookServer = {
    url: `https://127.0.0.1:${port}`,
    port,
    caBundle: Buffer.from(ca).toString('base64'),
    asked: [],
    answer: () => ({ response: { allowed: true } }),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
  return made
}

/** The response that changes an object by a JSON patch. */
export function patching(operations: readonly JsonObject[]): Answer {
  return { response: { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') } }
}
