import { createSocket } from 'node:dgram'

export type FakeRecord = { readonly type: 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'MX' | 'SRV'; readonly data: Buffer }
export type FakeAnswer =
  | { readonly records: readonly FakeRecord[] }
  /** RFC 1035, 4.1.1: 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
  | { readonly code: number }
  | 'silence'
  /** An answer to another question than was asked, with another id. */
  | 'stranger'
  | 'garbage'

const types = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28, SRV: 33 } as const

/** A name server on UDP (RFC 1035) that answers as a test tells it. */
export class FakeDnsServer {
  readonly #socket = createSocket('udp4')
  readonly asked: string[] = []
  answer: (name: string) => FakeAnswer
  /** How long it takes its time with a name (ms). */
  answersAfter: (name: string) => number = () => 0
  #isOpen = true

  constructor(answer: (name: string) => FakeAnswer) {
    this.answer = answer
    this.#socket.on('message', (question, { port, address }) => {
      const reply = this.#replyTo(question)
      if (reply !== undefined) setTimeout(() => this.#isOpen && this.#socket.send(reply, port, address), this.answersAfter(this.asked.at(-1) ?? ''))
    })
  }

  async start(): Promise<number> {
    await new Promise<void>((resolve, reject) => this.#socket.once('error', reject).bind(0, '127.0.0.1', resolve))
    return this.#socket.address().port
  }

  async stop(): Promise<void> {
    this.#isOpen = false
    await new Promise<void>((resolve) => this.#socket.close(resolve))
  }

  #replyTo(question: Buffer): Buffer | undefined {
    const { name, end } = nameIn(question, 12)
    this.asked.push(name)
    const answer = this.answer(name)
    if (answer === 'silence') return undefined
    if (answer === 'garbage') return Buffer.concat([question.subarray(0, 2), Buffer.from('ffffffffffffffffffffff', 'hex')])
    const records = typeof answer === 'object' && 'records' in answer ? answer.records : []
    const head = Buffer.from(question.subarray(0, 12))
    if (answer === 'stranger') head.writeUInt16BE((head.readUInt16BE(0) + 1) & 0xffff, 0)
    head.writeUInt16BE(0x8180 | (typeof answer === 'object' && 'code' in answer ? answer.code : 0), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    head.writeUInt32BE(0, 8)
    return Buffer.concat([head, question.subarray(12, end + 4), ...records.map(encoded)])
  }
}

/** A name as labels. */
function wireName(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0])])
}

export const a = (address: string): FakeRecord => ({ type: 'A', data: Buffer.from(address.split('.').map(Number)) })
export const cname = (name: string): FakeRecord => ({ type: 'CNAME', data: wireName(name) })
export const txt = (...strings: string[]): FakeRecord => ({ type: 'TXT', data: Buffer.concat(strings.map((one) => Buffer.concat([Buffer.from([one.length]), Buffer.from(one)]))) })
export const mx = (priority: number, name: string): FakeRecord => ({ type: 'MX', data: Buffer.concat([numbers(priority), wireName(name)]) })
export const srv = (priority: number, weight: number, port: number, name: string): FakeRecord => ({ type: 'SRV', data: Buffer.concat([numbers(priority, weight, port), wireName(name)]) })

function numbers(...all: number[]): Buffer {
  return Buffer.concat(all.map((n) => Buffer.from([n >> 8, n & 0xff])))
}

/** The record of the name that was asked for (a pointer to it), for a minute. */
function encoded({ type, data }: FakeRecord): Buffer {
  return Buffer.concat([Buffer.from([0xc0, 12]), numbers(types[type], 1, 0, 60, data.length), data])
}

function nameIn(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = []
  let at = start
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}
