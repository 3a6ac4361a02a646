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
 * The control plane that runs: `--server` with a token, else what the folder (`--dir`, `PLUMB_DIR`, `.plumb`) says.
 * Failures `server-not-running`, `token-missing`.
 */
export function connect(where: Where, around: Surroundings): Connection {
  const dir = resolve(around.cwd, where.dir ?? around.env.dir ?? '.plumb')
  const url = where.server ?? around.env.server ?? serverOf(dir, around)
  if (url === undefined)
    throw new Failure({
      code: 'server-not-running',
      subject: dir,
      message: 'no control plane runs there',
      hint: 'Start one with `plumb playground` or `plumb up`, or name another with --dir or --server.',
    })
  const token = where.tokenFile === undefined ? (around.env.token ?? around.readFile(join(dir, 'token'))) : around.readFile(resolve(around.cwd, where.tokenFile))
  if (token === undefined)
    throw new Failure({
      code: 'token-missing',
      subject: url,
      message: where.tokenFile === undefined ? 'there is no token to sign in with' : `the file ${where.tokenFile} cannot be read`,
      hint: 'Give one with --token-file or PLUMB_TOKEN; whoever runs the control plane makes it with `plumb token create`.',
    })
  const bearer = token.trim()
  return { client: makeClient((method, path, query, body) => send(url, bearer, method, path, query, body)), url, token: bearer }
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
  if (!/^https?:\/\//.test(server) || !URL.canParse(server))
    throw new Failure({ code: 'usage', subject: `--server ${server}`, message: 'this is no address of a control plane', hint: 'It is of the form http://127.0.0.1:8811.' })
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
    message: code === 'ECONNREFUSED' ? 'no control plane runs there any more' : `it does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
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
