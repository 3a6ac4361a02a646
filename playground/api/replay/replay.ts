import { Agent, request as httpsRequest } from 'node:https'
import { isObject, type Json, type JsonObject } from '#lib/json.ts'
import type { FakeClock } from '#lib/clock.ts'
import type { ApiServer } from '../api-server.ts'
import { difference, Placeholders, settled } from './compare.ts'
import type { Step, Transcript, Unseen } from './transcript.ts'

type Answered = { readonly status: number; readonly headers: Record<string, string>; readonly body: string }
type OpenWatch = { readonly step: Step; readonly index: number; readonly chunks: string[]; ended: boolean; closed: boolean; readonly close: () => void; readonly answered: Promise<Answered> }

export type Replay = {
  readonly server: ApiServer
  readonly clock: FakeClock
  readonly transcript: Transcript
  readonly unseen: readonly Unseen[]
  /** How many seconds the recording let pass before a step, by its index. */
  readonly pauses: Readonly<Record<number, number>>
  /** Texts that stand for something else in one step, by its index: continue tokens that the recording made by hand. */
  readonly forged: Readonly<Record<number, Readonly<Record<string, string>>>>
  /** Before which step the client of a watch, by its index, went away; others stay to the end. */
  readonly closings: Readonly<Record<number, number>>
  /** Steps that are answered otherwise with good reason, by their index. */
  readonly deliberate: Readonly<Record<number, string>>
}

/** Carries out every step, in order, and returns what was answered otherwise than recorded. */
export async function replay({ server, clock, transcript, unseen, pauses, forged, closings, deliberate }: Replay): Promise<string[]> {
  const problems: string[] = []
  const placeholders = new Placeholders()
  placeholders.set('<time>', new Date(clock.now()).toISOString().replace('.000Z', 'Z'))
  const agent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 100 })
  const watches: OpenWatch[] = []
  const note = (index: number, step: Step, problem: string | undefined): void => {
    const reason = deliberate[index]
    if (problem !== undefined && reason === undefined) problems.push(`step ${index} (${step.say}): ${problem}`)
    if (problem === undefined && reason !== undefined) problems.push(`step ${index} (${step.say}) is answered as recorded: it is no deliberate difference (${reason})`)
  }
  try {
    for (const [index, step] of transcript.steps.entries()) {
      for (const write of unseen.filter((one) => one.before === index)) await unseenWrite(server, agent, write)
      await pass(clock, pauses[index] ?? 0)
      for (const watch of watches.filter((one) => closings[one.index] === index)) {
        await arrived(watch)
        watch.close()
      }
      if (step.request.method === 'NONE') continue
      if (step.response.events !== undefined || step.response.closedBy !== undefined) {
        const watch = open(server, agent, placeholders, index, step, forged[index])
        watches.push(watch)
        await Promise.race([watch.answered, headersOf(watch)])
        continue
      }
      const answered = await start(server, agent, placeholders, step, forged[index]).answered
      note(index, step, compareAnswer(step, answered, placeholders))
    }
    await pass(clock, 12)
    for (const watch of watches) {
      await arrived(watch)
      if (watch.step.response.closedBy === 'client') watch.close()
      note(watch.index, watch.step, compareWatch(watch, placeholders))
    }
  } finally {
    for (const watch of watches) watch.close()
    agent.destroy()
  }
  return problems
}

/** Lets time pass a second at a time, so that whoever waits can go on waiting. */
async function pass(clock: FakeClock, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1000)
  }
}

/** Waits until a watch has shown what is expected, and has ended where it should; or not at all, for two seconds. */
async function arrived(watch: OpenWatch): Promise<void> {
  const { response } = watch.step
  for (let turn = 0; turn < 200; turn += 1) {
    const count = watch.chunks.join('').split('\n').length - 1
    if (watch.ended || (response.closedBy === 'client' && count >= (response.events?.length ?? 0))) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function unseenWrite(server: ApiServer, agent: Agent, { method, path, body }: Unseen): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const answered = await exchange(server, agent, method, path, { 'content-type': type, 'user-agent': 'conformance/1.0' }, JSON.stringify(body)).answered
  if (answered.status >= 300) throw new Error(`the unseen ${method} ${path} was answered ${answered.status}: ${answered.body}`)
}

function start(server: ApiServer, agent: Agent, placeholders: Placeholders, step: Step, forged: Readonly<Record<string, string>> = {}): ReturnType<typeof exchange> {
  const { method, path, headers = {}, body } = step.request
  const filled = body === undefined ? undefined : typeof body === 'string' ? described(placeholders.fill(body)) : JSON.stringify(placeholders.fillAll(body))
  const given = Object.entries(forged).reduce((text, [name, value]) => text.replace(name, value), path)
  const own = token(placeholders.fill(given))
  return exchange(server, agent, method, own, { accept: 'application/json', 'user-agent': 'conformance/1.0', ...headers }, filled)
}

/** A body that the recording describes because it is large. */
function described(text: string): string {
  const note = /^\(a Widget named a, tier bronze, whose spec\.note is the letter x repeated (\d+) times\)$/.exec(text)
  if (note !== null) return widget({}, { note: 'x'.repeat(Number(note[1])) })
  const big = /^\(a Widget named a, tier bronze, with annotation "big" = the letter x repeated (\d+) times\)$/.exec(text)
  return big === null ? text : widget({ annotations: { big: 'x'.repeat(Number(big[1])) } }, {})
}

function widget(metadata: JsonObject, spec: JsonObject): string {
  return JSON.stringify({ apiVersion: 'example.dev/v1', kind: 'Widget', metadata: { name: 'a', ...metadata }, spec: { tier: 'bronze', ...spec } })
}

/** A path whose spaces and brackets can go over the wire. */
function token(path: string): string {
  return path.replaceAll(' ', '%20')
}

function exchange(
  server: ApiServer,
  agent: Agent,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | undefined,
): { answered: Promise<Answered>; chunks: string[]; close: () => void; started: Promise<void> } {
  const chunks: string[] = []
  let close = (): void => {}
  let begun = (): void => {}
  const started = new Promise<void>((resolve) => (begun = resolve))
  const answered = new Promise<Answered>((resolve, reject) => {
    const sent = httpsRequest(
      `${server.url}${path}`,
      { method, agent, headers: { authorization: `Bearer ${server.adminToken}`, ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) } },
      (response) => {
        begun()
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => chunks.push(chunk))
        const done = (): void => resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, body: chunks.join('') })
        response.on('end', done)
        response.on('error', done)
      },
    )
    close = () => sent.destroy()
    sent.on('error', reject)
    sent.end(body)
  })
  answered.catch(() => {})
  return { answered, chunks, close: () => close(), started }
}

function open(
  server: ApiServer,
  agent: Agent,
  placeholders: Placeholders,
  index: number,
  step: Step,
  forged: Readonly<Record<string, string>> | undefined,
): OpenWatch & { started: Promise<void> } {
  const { answered, chunks, close, started } = start(server, agent, placeholders, step, forged)
  const watch = {
    step,
    index,
    chunks,
    ended: false,
    closed: false,
    close: (): void => {
      watch.closed = true
      close()
    },
    answered,
    started,
  }
  answered.then(
    () => (watch.ended = true),
    () => (watch.ended = true),
  )
  return watch
}

function headersOf(watch: OpenWatch): Promise<void> {
  return (watch as OpenWatch & { started: Promise<void> }).started
}

function compareWatch(watch: OpenWatch, placeholders: Placeholders): string | undefined {
  const { response } = watch.step
  if (response.closedBy === 'server' && !watch.ended) return 'the server did not end the watch'
  if (response.closedBy === 'client' && watch.ended && !watch.closed) return 'the server ended the watch'
  const text = watch.chunks.join('')
  if (response.status !== 200) {
    const body = text.startsWith('{') ? (JSON.parse(text) as Json) : text
    return difference(settled(response.body), typeof response.body === 'string' && typeof body === 'string' ? body.trim() : settled(body), placeholders, 'body')
  }
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Json)
  return difference([...(response.events ?? [])], events, placeholders, 'events')
}

function compareAnswer(step: Step, answered: Answered, placeholders: Placeholders): string | undefined {
  const { response } = step
  if (answered.status !== response.status) return `status: expected ${response.status}, got ${answered.status} ${answered.body.slice(0, 600)}`
  for (const name of ['content-type', 'warning', 'retry-after', 'allow']) {
    const expected = response.headers[name]
    if (expected !== answered.headers[name] && !(expected === undefined && name === 'content-type')) {
      return `header ${name}: expected ${expected ?? 'none'}, got ${answered.headers[name] ?? 'none'}`
    }
  }
  const isJson = /json/.test(answered.headers['content-type'] ?? '') && answered.body !== ''
  const body = isJson ? (JSON.parse(answered.body) as Json) : answered.body
  return compareSummary(response, body, placeholders) ?? compareBody(step, body, placeholders)
}

function compareBody(step: Step, body: Json, placeholders: Placeholders): string | undefined {
  const expected = step.response.body
  if (expected === undefined) return undefined
  if (isObject(expected) && typeof expected.note === 'string' && expected.note.startsWith('(')) return undefined
  if (step.response.names !== undefined && isObject(expected) && isObject(body)) return difference(expected.metadata, body.metadata, placeholders, 'body.metadata')
  return difference(settled(expected), settled(narrowed(expected, body)), placeholders, 'body')
}

/** Discovery of the recorded server knows few groups; of ours, the same ones are compared. */
function narrowed(expected: Json, body: Json): Json {
  if (!isObject(expected) || !isObject(body)) return body
  if (expected.kind === 'APIGroupDiscoveryList' && Array.isArray(body.items) && Array.isArray(expected.items)) {
    const names = expected.items.map(groupName)
    return { ...body, items: body.items.filter((item) => names.includes(groupName(item))) }
  }
  return body
}

function groupName(item: Json): string {
  return isObject(item) && isObject(item.metadata) ? String(item.metadata.name) : ''
}

/** The forms that stand in place of a body. */
function compareSummary(response: Step['response'], body: Json, placeholders: Placeholders): string | undefined {
  const list = isObject(body) ? body : {}
  const items = Array.isArray(list.items) ? list.items.filter(isObject) : []
  const metadata = (item: JsonObject): JsonObject => (isObject(item.metadata) ? item.metadata : {})
  if (response.names !== undefined) {
    const names = response.names.map((name, index) => {
      const item = items[index] ?? {}
      const plain = String(metadata(item).name)
      if (name.includes('=')) return `${plain}=${String(isObject(item.spec) ? item.spec.value : '')}`
      return name.includes('/') ? `${String(metadata(item).namespace)}/${plain}` : plain
    })
    if (names.join() !== response.names.join() || items.length !== names.length) return `names: expected ${response.names.join()}, got ${names.join()} of ${items.length}`
  }
  if (response.order !== undefined) {
    const spec = isObject(list.spec) ? list.spec : {}
    const template = isObject(spec.template) ? spec.template : {}
    const order = (Array.isArray(template.containers) ? template.containers.filter(isObject) : []).map((container) => String(container.name))
    if (order.join() !== response.order.join()) return `order: expected ${response.order.join()}, got ${order.join()}`
  }
  if (response.listKind !== undefined && list.kind !== response.listKind) return `kind: expected ${response.listKind}, got ${String(list.kind)}`
  if (response.listMetadata !== undefined) return difference(response.listMetadata, list.metadata, placeholders, 'metadata')
  return undefined
}
