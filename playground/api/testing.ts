import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Json, JsonObject } from '#lib/json.ts'
import { systemClock } from '#lib/clock.ts'
import { type ApiServer, type ApiServerOptions, startApiServer } from './api-server.ts'

type Reply = { readonly status: number; readonly headers: Readonly<Record<string, string | undefined>>; readonly body: JsonObject; readonly text: string }

export type Ask = (method: string, path: string, body?: Json | Buffer, headers?: Readonly<Record<string, string>>, agent?: Agent) => Promise<Reply>

export type TestServer = { readonly server: ApiServer; readonly dir: string; readonly ask: Ask; readonly end: () => Promise<void> }

/** For tests: a server in a folder of its own, and a way to ask it. */
export async function testServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'api-server-'))
  const server = await startApiServer({ port: 0, clock: systemClock, name: 'test', ...options, dir })
  const agent = new Agent({ ca: server.ca, keepAlive: true })
  return {
    server,
    dir,
    ask: asker(server, agent),
    end: async () => {
      agent.destroy()
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function asker(server: ApiServer, ownAgent: Agent): Ask {
  return (method, path, body, headers = {}, agent = ownAgent) => {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    return new Promise((resolve, reject) => {
      const sent = request(
        `${server.url}${path}`,
        { method, agent, headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': type, ...(bytes === undefined ? {} : { 'content-length': bytes.length }), ...headers } },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8')
            const json = text.startsWith('{') ? (JSON.parse(text.split('\n')[0] ?? '{}') as JsonObject) : {}
            resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string | undefined>, body: json, text })
          })
        },
      )
      sent.on('error', reject)
      sent.end(bytes)
    })
  }
}

/** Whether a tool that tells its `version --client` is on this machine: a test that needs it is skipped where it is not. */
export function isInstalled(tool: string): boolean {
  return spawnSync(tool, ['version', '--client']).status === 0
}
