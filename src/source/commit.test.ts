import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { parseCommit, parseTrailers } from './commit.ts'

const messages = [
  'Title',
  'Title\n\nTicket: OPS-1\n',
  'Ticket: OPS-1\n',
  'Title\n\nBody\n\nTicket: OPS-1\nReason: it was slow\nReviewed-by: Rita <r@x>\n',
  'Title\n\nTicket: OPS-1\n\nBody that comes after\n',
  'Title\n\nBody: with a colon\nand a line without one\n',
  'Title\n\nSigned-off-by: Ada <a@x>\na line of text\nanother\n',
  'Title\n\nSigned-off-by: Ada <a@x>\n1\n2\n3\n4\n5\n',
  'Title\n\n(cherry picked from commit 0000)\nTicket: OPS-2\n',
  'Title\n\nReason: a long one\n  that goes on\n  and on\nTicket: OPS-3\n',
  'Title\n\nTicket : OPS-4\nReason:no space\n',
  'Title\n\nhttps://example.com/x: a link\n',
  'Title\n\nTicket: OPS-5\n\n\n\n',
  'Title\n\nTicket: OPS-6\r\nReason: windows\r\n',
  'Title\nsecond line\n\nX_Y: no trailer\n',
  'Title\n\nTicket:\n',
  'Title\n\nTicket: a\nTicket: b\n',
  '\n\nTitle\n\nTicket: OPS-7\n',
  '',
  '\n',
  'Title\n\n__proto__: x\nconstructor: y\n',
  'Title\n\nconstructor: y\n',
]

test.each(messages)('trailers are those that git reads: %j', (message) => {
  const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }
  const lines = execFileSync('git', ['interpret-trailers', '--parse', '--no-divider'], { input: message, env, cwd: '/' }).toString('utf8').split('\n')
  const expected = new Map<string, string>()
  for (const line of lines) {
    const [name = '', ...value] = line.split(':')
    if (name === '' || name.startsWith('(cherry')) continue
    const text = value.join(':').trim()
    expected.set(name, expected.has(name) ? `${expected.get(name)}, ${text}` : text)
  }
  expect(new Map(Object.entries(parseTrailers(message)))).toEqual(expected)
})

test('names that Plumbline knows are read in any case, others as they are', () => {
  expect(parseTrailers('T\n\nchange-ID: a\nrun-record: b\nAcked-By: c')).toEqual({ 'Change-Id': 'a', 'Run-Record': 'b', 'Acked-By': 'c' })
})

test('a commit is read in its encoding, with an odd author, many lines of title, and none', () => {
  const head = (more = ''): string => `tree ${'0'.repeat(40)}\nauthor J\u00f6rg <j@x> 1780000000 +0200\ncommitter  <> 1780000001 -0130\n${more}\n`
  expect(parseCommit('s', Buffer.from(`${head()}Two\nlines\n\nBody\n`))).toEqual({ sha: 's', author: { name: 'Jörg', email: 'j@x' }, at: 1_780_000_001_000, subject: 'Two lines', trailers: {} })
  expect(parseCommit('s', Buffer.concat([Buffer.from(head('encoding ISO-8859-1\n')), Buffer.from([0x66, 0xfc, 0x72])])).subject).toBe('für')
  expect(parseCommit('s', Buffer.concat([Buffer.from(head('encoding nobody-knows\n')), Buffer.from('x')])).subject).toBe('x')
  expect(parseCommit('s', Buffer.from(head('gpgsig -----BEGIN\n \n committer Evil <e@x> 1 +0000\n -----END\n') + 'Signed')).subject).toBe('Signed')
  expect(parseCommit('s', Buffer.from('nonsense'))).toEqual({ sha: 's', author: { name: '', email: '' }, at: 0, subject: '', trailers: {} })
})
