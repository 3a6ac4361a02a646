import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'

/**
 * The example repositories' post-receive hook: `notify-push.ts <notify.json> <repository>`, with `<before> <after> <ref>` lines on standard
 * input. Tells whoever is written in the file (`{ url, secret }`), by a POST signed with HMAC-SHA256 of its body. What it prints, the person who
 * pushes sees. It never fails: the push is done, and polling stands behind it.
 */
const [file = '', repository = ''] = process.argv.slice(2)
const timeoutMs = 3_000

const pushed = readFileSync(0, 'utf8').split('\n').flatMap((line) => {
  const [before, after, ref] = line.split(' ')
  return before !== undefined && after !== undefined && ref?.startsWith('refs/heads/') === true ? [{ repository, ref, before, after }] : []
})
const lines = await Promise.all(pushed.map(tell))
for (const line of new Set(lines)) if (line !== undefined) process.stdout.write(`plumbline: ${line}\n`)

async function tell(notice: object): Promise<string | undefined> {
  const to = listener()
  if (to === undefined) return 'no control plane listens now; it will see this push when it starts'
  const body = JSON.stringify(notice)
  const signature = `sha256=${createHmac('sha256', to.secret).update(body).digest('hex')}`
  try {
    const status = await post(to.url, body, { 'content-type': 'application/json', 'x-plumbline-signature-256': signature })
    return status < 300 ? undefined : `the control plane answered ${status} to the notice of this push; it will see it when it polls`
  } catch {
    return 'no control plane listens now; it will see this push when it starts'
  }
}

function listener(): { url: URL; secret: string } | undefined {
  try {
    const { url, secret } = JSON.parse(readFileSync(file, 'utf8')) as { url?: unknown; secret?: unknown }
    return typeof url === 'string' && typeof secret === 'string' ? { url: new URL(url), secret } : undefined
  } catch {
    return undefined
  }
}

function post(url: URL, body: string, headers: Record<string, string>): Promise<number> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const sent = request(url, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
