import type { LogSource } from '#playground/api/backend.ts'
import type { Kubelet } from './kubelet.ts'
import type { LogBuffer } from './log-buffer.ts'

/** The API's log hook: what a container wrote, and with `follow` what it goes on to write. */
export function podLogs(kubelet: Kubelet): LogSource {
  return (namespace, name, { container, follow, tailLines, previous }, signal) => {
    const buffer = kubelet.log(namespace, name, container, previous ? 'previous' : 'present')
    if (buffer === undefined) return undefined
    const lines = buffer.lines().map(({ text }) => `${text}\n`)
    const shown = (tailLines === undefined ? lines : tailLines === 0 ? [] : lines.slice(-tailLines)).join('')
    return follow ? followed(buffer, shown, signal) : shown
  }
}

async function* followed(buffer: LogBuffer, first: string, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: string[] = first === '' ? [] : [first]
  let wake: (() => void) | undefined
  const look = (): void => wake?.()
  const line = ({ text }: { readonly text: string }): void => {
    waiting.push(`${text}\n`)
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
