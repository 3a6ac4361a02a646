import type { LogSource } from '#playground/api/backend.ts'
import type { Kubelet } from './kubelet.ts'
import type { LogBuffer, LogLine } from './log-buffer.ts'

/** The API's log hook: what a container wrote, and with `follow` what it goes on to write. */
export function podLogs(kubelet: Kubelet): LogSource {
  return (namespace, name, { container, follow, tailLines, previous, since, timestamps }, signal) => {
    const buffer = kubelet.log(namespace, name, container, previous ? 'previous' : 'present')
    if (buffer === undefined) return undefined
    const print = ({ at, text }: LogLine): string => `${timestamps ? `${new Date(at).toISOString().replace('Z', '000000Z')} ` : ''}${text}\n`
    const lines = buffer.lines().filter(({ at }) => at >= since).map(print)
    const shown = (tailLines === undefined ? lines : tailLines === 0 ? [] : lines.slice(-tailLines)).join('')
    return follow ? followed(buffer, shown, print, signal) : shown
  }
}

async function* followed(buffer: LogBuffer, first: string, print: (line: LogLine) => string, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: string[] = first === '' ? [] : [first]
  let wake: (() => void) | undefined
  const look = (): void => wake?.()
  const line = (written: LogLine): void => {
    waiting.push(print(written))
    look()
  }
  const end = buffer.follow({ line, ended: look })
  signal.addEventListener('abort', look, { once: true })
  try {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift() ?? ''
      if (signal.aborted || buffer.isClosed) return
      await new Promise<void>((resolve) => (wake = resolve))
      wake = undefined
    }
  } finally {
    end()
    signal.removeEventListener('abort', look)
  }
}
