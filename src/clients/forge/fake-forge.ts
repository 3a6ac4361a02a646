import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonObject } from '#lib/json.ts'
import type { ForgeKind } from './forge.ts'

type Pull = { number: number; branch: string; into: string; title: string; body: string; state: 'open' | 'merged' | 'closed' }

/**
 * A fake of the forges' APIs, for tests: just the routes that are called, with the status codes and the shapes that their documentation has.
 * Sources: GitHub "REST API endpoints for pull requests" (201, 422 with `errors[].message`), GitLab "Merge requests API" (201, 409 with a list as
 * `message`), Gitea's swagger (`/repos/{owner}/{repo}/pulls`: 201, 409; `/pulls/{base}/{head}`: 200, 404).
 */
export class FakeForge implements AsyncDisposable {
  readonly pulls: Pull[] = []
  readonly requests: string[] = []
  readonly #kind: ForgeKind
  readonly #token: string
  /** Answers in place of the next one. */
  next: { readonly status: number; readonly body: string } | undefined
  url = ''
  readonly #server = createServer((request, response) => void this.#answer(request, response))

  constructor(kind: ForgeKind, token: string) {
    this.#kind = kind
    this.#token = token
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const url = new URL(request.url ?? '/', this.url)
    this.requests.push(`${request.method} ${url.pathname}`)
    const send = (status: number, body: unknown): void => void response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body))
    if (this.next !== undefined) {
      const { status, body } = this.next
      this.next = undefined
      return send(status, body)
    }
    if (!this.#isSignedIn(request)) return send(401, { message: this.#kind === 'gitlab' ? '401 Unauthorized' : 'Bad credentials' })
    const isJson = request.headers['content-type'] === 'application/json'
    if (request.method === 'POST' && !isJson) return send(415, { message: 'expected JSON' })
    const body = request.method === 'POST' ? (JSON.parse(text) as JsonObject) : {}
    if (this.#kind === 'github') return this.#github(request, url, body, send)
    return this.#kind === 'gitlab' ? this.#gitlab(request, url, body, send) : this.#gitea(request, url, body, send)
  }

  #isSignedIn({ headers }: IncomingMessage): boolean {
    if (this.#kind === 'github') return headers.authorization === `Bearer ${this.#token}` && headers['x-github-api-version'] === '2022-11-28' && headers.accept === 'application/vnd.github+json'
    return this.#kind === 'gitlab' ? headers['private-token'] === this.#token : headers.authorization === `token ${this.#token}`
  }

  #open(branch: unknown, into: unknown, title: unknown, body: unknown): Pull | undefined {
    if (this.pulls.some((pull) => pull.branch === branch && pull.into === into && pull.state === 'open')) return undefined
    const pull: Pull = { number: this.pulls.length + 1, branch: String(branch), into: String(into), title: String(title), body: String(body), state: 'open' }
    this.pulls.push(pull)
    return pull
  }

  #github(request: IncomingMessage, url: URL, body: JsonObject, send: (status: number, body: unknown) => void): void {
    if (url.pathname !== '/repos/shop/orders/pulls') return send(404, { message: 'Not Found' })
    const shape = (pull: Pull) => ({ number: pull.number, html_url: `${this.url}/shop/orders/pull/${pull.number}`, state: pull.state === 'open' ? 'open' : 'closed', merged_at: pull.state === 'merged' ? '2026-01-01T00:00:00Z' : null })
    if (request.method === 'GET') {
      const branch = url.searchParams.get('head')?.replace(/^shop:/, '')
      return send(200, this.pulls.filter((pull) => pull.branch === branch && pull.into === url.searchParams.get('base')).reverse().map(shape))
    }
    const pull = this.#open(body['head'], body['base'], body['title'], body['body'])
    if (pull === undefined) return send(422, { message: 'Validation Failed', errors: [{ resource: 'PullRequest', code: 'custom', message: `A pull request already exists for shop:${String(body['head'])}.` }] })
    send(201, shape(pull))
  }

  #gitlab(request: IncomingMessage, url: URL, body: JsonObject, send: (status: number, body: unknown) => void): void {
    if (url.pathname !== '/api/v4/projects/shop%2Forders/merge_requests') return send(404, { message: '404 Project Not Found' })
    const shape = (pull: Pull) => ({ id: 1000 + pull.number, iid: pull.number, web_url: `${this.url}/shop/orders/-/merge_requests/${pull.number}`, state: pull.state === 'open' ? 'opened' : pull.state })
    if (request.method === 'GET') return send(200, this.pulls.filter((pull) => pull.branch === url.searchParams.get('source_branch') && pull.into === url.searchParams.get('target_branch')).reverse().map(shape))
    const pull = this.#open(body['source_branch'], body['target_branch'], body['title'], body['description'])
    if (pull === undefined) return send(409, { message: [`Another open merge request already exists for this source branch: !1`] })
    send(201, shape(pull))
  }

  #gitea(request: IncomingMessage, url: URL, body: JsonObject, send: (status: number, body: unknown) => void): void {
    const [base, head] = /^\/api\/v1\/repos\/shop\/orders\/pulls\/([^/]+)\/([^/]+)$/.exec(url.pathname)?.slice(1).map(decodeURIComponent) ?? []
    const shape = (pull: Pull) => ({ number: pull.number, html_url: `${this.url}/shop/orders/pulls/${pull.number}`, state: pull.state === 'open' ? 'open' : 'closed', merged: pull.state === 'merged' })
    if (request.method === 'GET' && head !== undefined) {
      const pull = this.pulls.findLast((one) => one.branch === head && one.into === base)
      return pull === undefined ? send(404, { message: 'The target couldn\'t be found.' }) : send(200, shape(pull))
    }
    if (url.pathname !== '/api/v1/repos/shop/orders/pulls') return send(404, { message: 'Not Found' })
    const pull = this.#open(body['head'], body['base'], body['title'], body['body'])
    if (pull === undefined) return send(409, { message: 'pull request already exists for these targets' })
    send(201, shape(pull))
  }
}
