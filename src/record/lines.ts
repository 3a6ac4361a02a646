import { closeSync, openSync, readSync } from 'node:fs'

const chunk = 1024 * 1024

/** The lines of a file, one after the other, however large it is. Empty ones are left out; a last one without its end is a line too. */
export function* linesOf(file: string): Generator<string> {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.allocUnsafe(chunk)
    let rest: Buffer[] = []
    for (;;) {
      const read = readSync(descriptor, bytes)
      if (read === 0) break
      let from = 0
      for (let end = bytes.indexOf(10); end >= 0 && end < read; end = bytes.indexOf(10, from)) {
        const line = rest.length === 0 ? bytes.toString('utf8', from, end) : Buffer.concat([...rest, bytes.subarray(from, end)]).toString('utf8')
        rest = []
        from = end + 1
        if (line !== '') yield line
      }
      if (from < read) rest.push(Buffer.from(bytes.subarray(from, read)))
    }
    if (rest.length > 0) yield Buffer.concat(rest).toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}
