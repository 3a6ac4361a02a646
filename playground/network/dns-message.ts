/** What is asked, of RFC 1035: one question a message. `type` is a number there: 1 is A, 5 CNAME, 28 AAAA, 33 SRV. */
export type DnsQuestion = { readonly id: number; readonly name: string; readonly type: number; /** The question as it came, for the answer to bear. */ readonly bytes: Buffer; readonly wantsRecursion: boolean }

export type DnsRecord = { readonly type: 'A'; readonly address: string } | { readonly type: 'CNAME'; readonly name: string } | { readonly type: 'SRV'; readonly port: number; readonly name: string }

/** The records of a name, of any type; or that there is no such name, or that it is not this server's to tell. */
export type DnsAnswer = readonly DnsRecord[] | 'no-such-name' | 'refused'

const types = { A: 1, CNAME: 5, SRV: 33 } as const
const codes = { 'no-such-name': 3, refused: 5 } as const
const secondsToKeep = 5
const largest = 512 // what every resolver takes over UDP

/** Reads a question; `undefined` where the message is none that could be answered. */
export function readQuestion(message: Buffer): DnsQuestion | undefined {
  if (message.length < 17) return undefined
  const flags = message.readUInt16BE(2)
  const isQuery = (flags & 0xf800) === 0 && message.readUInt16BE(4) === 1
  const labels: string[] = []
  let at = 12
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    if (length > 63 || at + length >= message.length) return undefined
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  if (!isQuery || message.length < at + 5) return undefined
  return { id: message.readUInt16BE(0), name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), bytes: message.subarray(12, at + 5), wantsRecursion: (flags & 0x0100) !== 0 }
}

/** The answer to a question: the records of the type that was asked for, and an alias in place of all others. What does not fit is left out, and said so. */
export function writeAnswer(question: DnsQuestion, answer: DnsAnswer): Buffer {
  const records = typeof answer === 'string' ? [] : answer.filter(({ type }) => type === 'CNAME' || types[type] === question.type)
  const written: Buffer[] = []
  let size = 12 + question.bytes.length
  for (const bytes of records.map(encoded)) {
    if (size + bytes.length > largest) break
    size += bytes.length
    written.push(bytes)
  }
  const truncated = written.length < records.length ? 0x0200 : 0
  const head = Buffer.alloc(12)
  head.writeUInt16BE(question.id, 0)
  head.writeUInt16BE(0x8400 | truncated | (question.wantsRecursion ? 0x0100 : 0) | (typeof answer === 'string' ? codes[answer] : 0), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(written.length, 6)
  return Buffer.concat([head, question.bytes, ...written])
}

/** Of the name that was asked for: a pointer to it. */
function encoded(record: DnsRecord): Buffer {
  const data = dataOf(record)
  return Buffer.concat([Buffer.from([0xc0, 12]), numbers(types[record.type], 1, 0, secondsToKeep, data.length), data])
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'A':
      return Buffer.from(record.address.split('.').map(Number))
    case 'CNAME':
      return nameBytes(record.name)
    case 'SRV':
      return Buffer.concat([numbers(0, 100, record.port), nameBytes(record.name)])
  }
}

const numbers = (...all: number[]): Buffer => Buffer.concat(all.map((n) => Buffer.from([n >> 8, n & 0xff])))

function nameBytes(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])), Buffer.from([0])])
}
