import { spawn } from 'node:child_process'
import type { JsonObject } from '#lib/json.ts'
import type { Asked } from './testing-random-writes.ts'

/** A real cluster, asked through `kubectl proxy`. */
export async function realCluster(kubeconfig: string): Promise<{ readonly ask: Asked; readonly end: () => void }> {
  const proxy = spawn('kubectl', ['proxy', '--port=0'], { env: { PATH: process.env.PATH, HOME: process.env.HOME, KUBECONFIG: kubeconfig }, stdio: ['ignore', 'pipe', 'inherit'] })
  const url = await new Promise<string>((resolve, reject) => {
    proxy.stdout.setEncoding('utf8').on('data', (text: string) => {
      const address = /127\.0\.0\.1:\d+/.exec(text)?.[0]
      if (address !== undefined) resolve(`http://${address}`)
    })
    proxy.on('error', reject).on('exit', (code) => reject(new Error(`kubectl proxy ended with ${code}`)))
  })
  const ask: Asked = async (method, path, body, headers = {}) => {
    const reply = await fetch(`${url}${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { status: reply.status, body: (await reply.json()) as JsonObject }
  }
  return { ask, end: () => void proxy.kill() }
}
