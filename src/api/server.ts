import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Failure, asFailure } from '#lib/failure.ts'
import { errors } from '#model/errors.ts'
import type { ErrorCode } from '#model/errors.ts'
import type { Parts } from '#run/parts.ts'
import { receiveWebhook } from '#run/receive-webhook.ts'
import type { Store } from '#store/sql.ts'
import { authenticate, authorise } from './authorise.ts'
import { streamEvents } from './events.ts'
import { openApiDocument } from './openapi.ts'
import type { Call, Route } from './route.ts'
import { routes } from './routes.ts'

const maxBody = 1024 * 1024

/** The HTTP API. Bound to loopback unless `host` says otherwise. */
export async function startApi(options: { parts: Parts; store: Store; host: string; port: number; stopping: AbortSignal }): Promise<{ url: string; port: number; stop: () => Promise<void> }> {
  const app = application(options.parts, options.store, options.stopping)
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = serve({ fetch: app.fetch, hostname: options.host, port: options.port, overrideGlobalObjects: false }, () => resolve(listening as Server)) as Server
    listening.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(error, options.port)))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenFailure(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error
  return new Failure({
    code: 'port-taken',
    subject: `port ${port}`,
    message: error.code === 'EACCES' ? 'this user may not listen there' : 'something else listens there already',
    hint: 'Choose another with --port, or any free one with --port 0.',
    cause: error,
  })
}

/** The application, without a listener: what tests of routes and roles call. */
export function application(parts: Parts, store: Store, stopping: AbortSignal): Hono {
  const app = new Hono()
  app.use('*', async (context, next) => {
    await next()
    context.header('X-Content-Type-Options', 'nosniff')
    context.header('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'")
    context.header('Cache-Control', 'no-store')
  })
  app.use('*', bodyLimit({ maxSize: maxBody, onError: () => { throw new Failure({ code: 'request-too-large', subject: 'the request', message: `its body is larger than ${maxBody} bytes`, hint: 'Send less at once.' }) } }))
  app.onError((error, context) => answerFailure(context, asFailure(error, `${context.req.method} ${context.req.path}`), parts))
  app.notFound((context) =>
    answerFailure(context, new Failure({ code: 'route-unknown', subject: `${context.req.method} ${context.req.path}`, message: 'there is no such route', hint: 'GET /openapi.json lists them.' }), parts),
  )
  app.get('/healthz', async (context) => {
    await parts.sql.query('select 1')
    return context.text('ok')
  })
  app.get('/openapi.json', (context) => context.json(openApiDocument()))
  const webhook = async (context: Context): Promise<Response> => {
    const body = Buffer.from(await context.req.arrayBuffer())
    await receiveWebhook(parts, context.req.param('repository'), context.req.header(), body, context.req.raw.signal)
    return context.json({ done: true }, 202)
  }
  app.post('/v1/webhooks', webhook)
  app.post('/v1/webhooks/:repository', webhook)
  app.get('/v1/events', async (context) => {
    const { principal, expiresAt } = await authenticate(parts.sql, context.req.header('authorization'), parts.clock.now())
    authorise(principal, { role: 'viewer', environment: '*' })
    return streamEvents(context, store, parts.clock, expiresAt, stopping)
  })
  for (const route of routes) app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), (context) => serveRoute(context, parts, route))
  return app
}

/** Authentication, authorisation, and only then a look at what was sent. This is the one place where a route is entered. */
async function serveRoute(context: Context, parts: Parts, route: Route): Promise<Response> {
  const { principal } = await authenticate(parts.sql, context.req.header('authorization'), parts.clock.now())
  const params = context.req.param() as Record<string, string>
  const query = Object.fromEntries(route.query.map((name) => [name, context.req.query(name)]))
  // Whoever may see nothing learns nothing about what there is: a run of an environment that is not theirs is as forbidden as one that is not there.
  if (!principal.grants.length) authorise(principal, { role: route.role, environment: '*' })
  authorise(principal, { role: route.role, environment: await route.environment({ parts, params }) })
  const body = route.body === undefined ? undefined : await readBody(context, route)
  const call: Call<unknown> = { parts, principal, params, query, body, signal: context.req.raw.signal }
  const answer = await route.handle(call as Call<never>)
  return context.json(route.answer.parse(answer) as object)
}

async function readBody(context: Context, route: Route): Promise<unknown> {
  const text = await context.req.text()
  let value: unknown
  try {
    value = text === '' ? {} : JSON.parse(text)
  } catch {
    throw new Failure({ code: 'request-invalid', subject: route.id, message: 'the body is not JSON', hint: 'GET /openapi.json tells what it must be.' })
  }
  const parsed = route.body?.safeParse(value)
  if (parsed === undefined || parsed.success) return parsed?.data
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
  throw new Failure({ code: 'request-invalid', subject: route.id, message: problems.join('; '), hint: 'GET /openapi.json tells what it must be.', fields: { problems } })
}

function answerFailure(context: Context, failure: Failure, parts: Parts): Response {
  const { http } = errors[failure.code as ErrorCode] ?? errors.internal
  if (failure.code === 'internal') parts.log(`${failure.subject}: ${failure.cause instanceof Error ? failure.cause.stack : failure.message}`)
  const shown = failure.code === 'internal' ? { ...failure.toJSON(), message: 'something went wrong inside; the log says what' } : failure.toJSON()
  if (http === 401) context.header('WWW-Authenticate', 'Bearer')
  return context.json({ error: shown }, http)
}
