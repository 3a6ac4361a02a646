/** One line that a container wrote. */
export type LogLine = { readonly at: number; readonly text: string }

type Listener = { readonly line: (line: LogLine) => void; readonly ended: () => void }

const maxLines = 2_000
const maxLineLength = 16_384

/** The last lines of one container's output, as `kubectl logs` shows them: bounded, complete lines only. */
export class LogBuffer {
  #lines: LogLine[] = []
  #open = ''
  readonly #listeners = new Set<Listener>()
  #closed = false

  get isClosed(): boolean {
    return this.#closed
  }

  append(chunk: string, at: number): void {
    const parts = (this.#open + chunk).split('\n')
    this.#open = (parts.pop() ?? '').slice(0, maxLineLength)
    for (const text of parts) this.#push({ at, text: text.slice(0, maxLineLength) })
  }

  /** What stands without a newline when the process ends is a line too. */
  end(at: number): void {
    if (this.#open !== '') this.#push({ at, text: this.#open })
    this.#open = ''
    this.#closed = true
    for (const { ended } of this.#listeners) ended()
  }

  lines(): readonly LogLine[] {
    return this.#lines
  }

  follow(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #push(line: LogLine): void {
    this.#lines.push(line)
    if (this.#lines.length > maxLines * 1.25) this.#lines = this.#lines.slice(-maxLines)
    for (const { line: tell } of this.#listeners) tell(line)
  }
}
