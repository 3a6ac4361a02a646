import { safe, wrap } from './safe.ts'
import type { Paint } from './table.ts'

type Told = { readonly code: string; readonly subject: string; readonly message: string; readonly hint?: string | undefined }

/** A failure, as everywhere: the code, what it is about, what happened, and what to do next. */
export function failureLines(failure: Told, indent: string, paint: Paint, width: number): string[] {
  const [first = '', ...rest] = wrap(`${failure.code}: ${safe(failure.subject)}: ${safe(failure.message)}`, width - indent.length - 2)
  const head = first.startsWith(`${failure.code}:`) ? `${paint('bad', failure.code)}${first.slice(failure.code.length)}` : first
  const hint = failure.hint === undefined ? [] : wrap(safe(failure.hint), width - indent.length - 2)
  return [`${indent}${head}`, ...rest.map((line) => `${indent}  ${line}`), ...hint.map((line) => `${indent}  ${paint('quiet', line)}`)]
}
