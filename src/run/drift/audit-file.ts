import { open, stat } from 'node:fs/promises'
import type { Clock } from '#lib/clock.ts'
import { asFailure, type Failure } from '#lib/failure.ts'
import { isObject, type JsonObject } from '#lib/json.ts'

const pollMs = 500
/** What was written while nobody followed the file is read from so far before its end. */
const backBytes = 8 * 1024 * 1024
const mostBytes = 4 * 1024 * 1024
/** No event is longer: a line that goes on is not kept, and `noEvent` stands for it, so that its end is not taken for one. */
const longestLine = 16 * 1024 * 1024
const noEvent = '\0'

type Follow = { readonly path: string; readonly clock: Clock; readonly take: (events: JsonObject[]) => Promise<void>; readonly trouble: (failure: Failure) => void }

/** Follows an audit log until the signal ends: lines of JSON, each an event, appended; a file that is begun anew is read from its start. What cannot be read is told, once, and tried again. */
export async function followAuditFile({ path, clock, take, trouble }: Follow, signal: AbortSignal): Promise<void> {
  let inode: number | undefined
  let offset = 0
  let rest = ''
  let decoder = new TextDecoder()
  let told = ''
  while (!signal.aborted) {
    try {
      const file = await stat(path)
      if (file.ino !== inode || file.size < offset) {
        // The first time a part of what is there already; later it is a new file.
        offset = inode === undefined ? Math.max(0, file.size - backBytes) : 0
        inode = file.ino
        rest = ''
        decoder = new TextDecoder()
      }
      while (offset < file.size && !signal.aborted) {
        const text = await readPart(path, offset, Math.min(mostBytes, file.size - offset))
        offset += text.byteLength
        const lines = (rest + decoder.decode(text, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > longestLine) rest = noEvent
        await take(lines.flatMap(eventOf))
      }
      told = ''
    } catch (error) {
      const failure = asFailure(error, path)
      if (!signal.aborted && told !== failure.message) trouble(failure)
      told = failure.message
    }
    await clock.sleep(pollMs, signal).catch(() => {})
  }
}

async function readPart(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path)
  try {
    const { bytesRead, buffer } = await file.read({ buffer: Buffer.alloc(length), position: offset })
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The first line may be the end of one; what is no event tells nothing. */
function eventOf(line: string): JsonObject[] {
  if (line === '') return []
  try {
    const event = JSON.parse(line) as unknown
    return isObject(event) ? [event] : []
  } catch {
    return []
  }
}
