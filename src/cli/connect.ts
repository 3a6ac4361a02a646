import { join, resolve } from 'node:path'
import { makeClient } from '#api/client.ts'
import type { Client, Query } from '#api/client.ts'
import { Failure } from '#lib/failure.ts'
import type { FailureJson } from '#lib/failure.ts'
import { isObject } from '#lib/json.ts'
import type { Json } from '#lib/json.ts'
import type { Surroundings } from './surroundings.ts'

/** Where a command finds the control plane. */
export type Where = { readonly dir?: string; readonly server?: string; readonly tokenFile?: string }

export type Connection = { readonly client: Client; readonly url: string; readonly token: string }

/**
 * The control plane that runs: `--server` with a token, else what the folder (`--dir`, `PLUMB_DIR`, `.plumb`) says. A folder's token is an admin's of the
 * control plane that runs there: it goes to that one's address and to no other. Failures `server-not-running`, `token-missing`, `token-in-clear`.
 */
export function connect(where: Where, around: Surroundings): Connection {
  const dir = resolve(around.cwd, where.dir ?? around.env.dir ?? '.plumb')
  const here = serverOf(dir, around)
  const url = where.server ?? around.env.server ?? here
  if (url === undefined)
    throw new Failure({
      code: 'server-not-running',
      subject: dir,
      message: 'no control plane runs there',
      hint: 'Start one with `plumb playground` or `plumb up`, or name another with --dir or --server.',
    })
  const server = addressOf(url)
  const isHere = here !== undefined && URL.canParse(here) && server.origin === new URL(here).origin
  const given = where.tokenFile === undefined ? around.env.token : around.readFile(resolve(around.cwd, where.tokenFile))
  const token = given ?? (where.tokenFile === undefined && isHere ? around.readFile(join(dir, 'token')) : undefined)
  if (token === undefined)
    throw new Failure({
      code: 'token-missing',
      subject: url,
      message: where.tokenFile === undefined ? `there is no token to sign in with${isHere ? '' : `: that of ${dir} is for the control plane there`}` : `the file ${where.tokenFile} cannot be read`,
      hint: 'Give one with --token-file or PLUMB_TOKEN; whoever runs the control plane makes it with `plumb token create`.',
    })
  if (server.protocol === 'http:' && !isHere && !isLoopback(server.hostname))
    throw new Failure({ code: 'token-in-clear', subject: url, message: 'a token would go over the network in the clear', hint: 'Name an https address, or reach it by a tunnel whose end is at 127.0.0.1 (ssh -L, kubectl port-forward).' })
  const bearer = token.trim()
  return { client: makeClient((method, path, query, body) => send(url, bearer, method, path, query, body)), url, token: bearer }
}

/** Failure `usage`. */
function addressOf(server: string): URL {
  if (/^https?:\/\//.test(server) && URL.canParse(server)) return new URL(server)
  throw new Failure({ code: 'usage', subject: `--server ${server}`, message: 'this is no address of a control plane', hint: 'It is of the form http://127.0.0.1:8811.' })
}

/** Whether an address is of this machine alone, as far as it tells. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

function serverOf(dir: string, around: Surroundings): string | undefined {
  const text = around.readFile(join(dir, 'server.json'))
  if (text === undefined) return undefined
  try {
    const value = JSON.parse(text) as { url?: unknown }
    return typeof value.url === 'string' ? value.url : undefined
  } catch {
    return undefined
  }
}

async function send(server: string, token: string, method: string, path: string, query: Query, body: unknown): Promise<unknown> {
  const url = new URL(path, server)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  let answer: Response
  try {
    answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(60_000),
    })
  } catch (error) {
    throw unreachable(server, error)
  }
  const text = await answer.text()
  const value = parsed(text)
  if (answer.ok && value !== undefined) return value
  throw failureOf(server, answer.status, value)
}

export function unreachable(server: string, error: unknown): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code = (cause as NodeJS.ErrnoException)?.code
  return new Failure({
    code: 'server-not-running',
    subject: server,
    // What no browser connects to, fetch does not connect to either, and calls it a bad port.
    message: code === 'ECONNREFUSED' || (cause instanceof Error && cause.message === 'bad port') ? 'no control plane runs there' : `it does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'Start it with `plumb playground` or `plumb up`, or name another with --dir or --server.',
    retry: 'later',
    cause: error,
  })
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function failureOf(server: string, status: number, value: Json | undefined): Failure {
  const error = isObject(value) ? value['error'] : undefined
  if (isObject(error) && typeof error['code'] === 'string') return new Failure({ ...(error as unknown as FailureJson) })
  return new Failure({ code: 'server-not-running', subject: server, message: `what answers there is no Plumbline: status ${status}`, hint: 'Is --server right?' })
}
