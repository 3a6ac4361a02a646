import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { Engine, EngineDead } from './engine.ts'
import type { Answer, Ask } from './messages.ts'

/** How many answers may wait for one flush to the disk, and for how long (ms) while a transaction is open. */
const groupSize = 128
const groupWait = 3

const port = parentPort!
const say = (answer: Answer): void => port.postMessage(answer)
const { folder, code } = workerData as { folder: string; code: object }

/** What has arrived and is not begun. */
const inbox: Ask[] = []
/** Answers to what is committed but not yet known to be on the disk. */
let committed: Answer[] = []
let busy = false
let dead = false
let timer: NodeJS.Timeout | undefined
/** Whether answers have waited long enough for a transaction to end. */
let overdue = false

const fatal = (error: unknown): Answer => ({
  fatal: { message: error instanceof Error ? error.message : String(error), code: error instanceof EngineDead ? error.code : '57P02' },
})

const engine = await Engine.open(folder, code, (channel, payload) => say({ notified: channel, payload })).catch((error: unknown) => {
  say(fatal(error))
  return undefined
})
if (engine !== undefined) {
  say({ ready: true })
  port.on('message', (ask: Ask) => {
    inbox.push(ask)
    run(engine)
  })
}

function run(engine: Engine): void {
  if (busy || dead) return // an engine that has panicked must not touch the folder again
  busy = true
  work(engine)
    .catch(die)
    .finally(() => {
      busy = false
      if (inbox.length > 0) run(engine)
    })
}

/** Carries out what has arrived, in its order; then one flush makes all of it durable, and only then is it answered. */
async function work(engine: Engine): Promise<void> {
  for (let ask = next(); ask !== undefined; ask = next()) {
    if (ask.do === 'close') return close(engine, ask.id)
    const answer = await carryOut(engine, ask)
    if (engine.inTransaction() || (committed.length === 0 && isRead(ask))) say(answer) // what a read saw is on the disk, where nothing waits to be
    else committed.push(answer)
    if (committed.length >= groupSize) await flush(engine)
  }
  if (!engine.inTransaction() || overdue) await flush(engine)
  if (inbox.length > 0) return work(engine)
  // A transaction is open and its next statement is on the way. Whoever waits for an earlier commit waits a little longer, in company.
  if (committed.length > 0) {
    timer ??= setTimeout(() => {
      timer = undefined
      overdue = true
      run(engine)
    }, groupWait)
  }
}

/** Whether a statement changes nothing that has to last. A sequence that moves does: its numbers are fences and owners. */
function isRead(ask: Exclude<Ask, { do: 'close' }>): boolean {
  return ask.do === 'query' && /^\s*select\b/i.test(ask.text) && !/\b(nextval|setval)\b/i.test(ask.text)
}

/** What the port has not yet handed over is younger than what it has. */
function next(): Ask | undefined {
  return inbox.shift() ?? (receiveMessageOnPort(port) as { message: Ask } | undefined)?.message
}

async function carryOut(engine: Engine, ask: Exclude<Ask, { do: 'close' }>): Promise<Answer> {
  try {
    if (ask.do === 'script') {
      await engine.script(ask.text)
      return { id: ask.id, rows: [] }
    }
    return { id: ask.id, rows: await engine.query(ask.text, ask.params) }
  } catch (error) {
    if (error instanceof EngineDead) throw error
    const { code, message, constraint } = error as { code?: string; message: string; constraint?: string }
    return { id: ask.id, error: { message, ...(code === undefined ? {} : { code }), ...(constraint === undefined ? {} : { constraint }) } }
  }
}

async function flush(engine: Engine): Promise<void> {
  if (committed.length === 0 || engine.transactionFailed()) return // a failed transaction takes no statement: its ROLLBACK is on the way
  clearTimeout(timer)
  timer = undefined
  overdue = false
  await engine.flush()
  for (const answer of committed) say(answer)
  committed = []
  if (!engine.inTransaction()) await engine.keepHouse()
}

async function close(engine: Engine, id: number): Promise<void> {
  await flush(engine)
  await engine.close()
  say({ id, rows: [] })
  port.close()
}

function die(error: unknown): void {
  dead = true
  say(fatal(error))
  port.close()
}
