import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { exposition, expositionType } from '#lib/exposition.ts'
import { Failure, asFailure } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import { redactedDocument } from '#model/redacted.ts'
import { collectMetrics } from '#run/metrics/collect.ts'
import type { Parts } from '#run/parts.ts'
import { receiveAudit } from '#run/drift/audit.ts'
import { receiveWebhook } from '#run/receive-webhook.ts'
import type { Store } from '#store/sql.ts'
import { authenticate, authorise, tokenOf } from './authorise.ts'
import type { Bearer } from './authorise.ts'
import { streamEvents } from './events.ts'
import { openApiDocument } from './openapi.ts'
import { RateLimit } from './rate-limit.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'
import { serveRoute } from './serve-route.ts'

const maxBody = 1024 * 1024
/** An API server sends hundreds of events in one batch. */
const maxAudit = 10 * 1024 * 1024

/** The application, without a listener: what tests of routes and roles call. */
export function application(parts: Parts, store: Store, stopping: AbortSignal, table: readonly Route[] = routes): Hono {
  const app = new Hono()
  const { clock } = parts
  const signIn = signInWith(parts)
  const webhooks = new RateLimit({ burst: 300, perSecond: 20, clock })
  app.use('*', async (context, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders)) context.header(name, value)
  })
  const tooLarge = (most: number) => (): never => {
    throw new Failure({ code: 'request-too-large', subject: 'the request', message: `its body is larger than ${most} bytes`, hint: 'Send less at once.' })
  }
  const small = bodyLimit({ maxSize: maxBody, onError: tooLarge(maxBody) })
  const large = bodyLimit({ maxSize: maxAudit, onError: tooLarge(maxAudit) })
  app.use('*', (context, next) => (context.req.path.startsWith('/v1/audit/') ? large(context, next) : small(context, next)))
  app.onError((error, context) => answerFailure(context, asFailure(error, `${context.req.method} ${context.req.path}`), parts))
  app.notFound((context) =>
    answerFailure(context, new Failure({ code: 'route-unknown', subject: `${context.req.method} ${context.req.path}`, message: 'there is no such route', hint: 'GET /openapi.json lists them.' }), parts),
  )
  app.get('/healthz', async (context) => {
    await parts.sql.query('select 1')
    return context.text('ok')
  })
  const document = openApiDocument()
  app.get('/openapi.json', (context) => context.json(document))
  const webhook = async (context: Context): Promise<Response> => {
    webhooks.take(addressOf(context))
    const body = Buffer.from(await context.req.arrayBuffer())
    await receiveWebhook(parts, context.req.param('repository'), context.req.header(), body, context.req.raw.signal)
    return context.json({ done: true }, 202)
  }
  app.post('/v1/webhooks', webhook)
  app.post('/v1/webhooks/:repository', webhook)
  app.post('/v1/audit/:environment/:target', async (context) => {
    webhooks.take(addressOf(context))
    const { environment = '', target = '' } = context.req.param()
    await receiveAudit(parts, { environment, target }, context.req.header('authorization'), await context.req.text(), context.req.raw.signal)
    return context.json({ done: true }, 202)
  })
  app.get('/v1/events', async (context) => {
    const bearer = await signIn(context)
    authorise(bearer.principal, { role: 'viewer', where: 'somewhere' })
    return streamEvents(context, { store, clock, stopping, redact: (text) => parts.redactor.redact(text) }, bearer)
  })
  app.get('/metrics', async (context) => {
    authorise((await signIn(context)).principal, { role: 'viewer', where: 'workspace' })
    return context.text(exposition(await collectMetrics(parts)), 200, { 'Content-Type': expositionType })
  })
  for (const route of table)
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), async (context) => serveRoute(context, parts, route, await signIn(context)))
  return app
}

/** No page is served here, nothing is embedded, and an answer is for whoever asked. */
const securityHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
} as const

/**
 * Signs in, and slows down who fails at it, by address. A token that was good here before is asked for all the same: nobody can lock another out who
 * comes from the same address.
 */
function signInWith({ sql, clock }: Pick<Parts, 'sql' | 'clock'>): (context: Context) => Promise<Bearer> {
  const failures = new RateLimit({ burst: 20, perSecond: 0.5, clock })
  const known = new Set<string>()
  return async (context) => {
    const token = tokenOf(context.req.header('authorization'))
    const address = addressOf(context)
    if (token === undefined || !known.has(token)) failures.check(address)
    try {
      const bearer = await authenticate(sql, token, clock.now())
      if (known.size > 1000) known.clear()
      if (token !== undefined) known.add(token)
      return bearer
    } catch (error) {
      if (error instanceof Failure && error.code === 'unauthenticated') {
        if (token !== undefined) known.delete(token)
        failures.take(address)
      }
      throw error
    }
  }
}

/** Of the other end of the connection: behind a proxy, the proxy's. */
function addressOf(context: Context): string {
  const bindings = context.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  return bindings?.incoming?.socket?.remoteAddress ?? 'this process'
}

function answerFailure(context: Context, failure: Failure, parts: Parts): Response {
  const { http } = errors[failure.code as ErrorCode] ?? errors.internal
  if (failure.code === 'internal') parts.log(`${failure.subject}: ${failure.cause instanceof Error ? failure.cause.stack : failure.message}`)
  const shown = failure.code === 'internal' ? { ...failure.toJSON(), message: 'something went wrong inside; the log says what' } : failure.toJSON()
  if (http === 401) context.header('WWW-Authenticate', 'Bearer')
  const retryAfter = failure.fields['retryAfterSeconds']
  if (typeof retryAfter === 'number') context.header('Retry-After', String(retryAfter))
  return context.json(redactedDocument({ error: shown }, (text) => parts.redactor.redact(text)), http)
}
