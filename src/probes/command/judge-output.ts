import type { Json } from '#lib/json.ts'
import { celFound } from '../cel-found.ts'
import type { ProbeCapabilities } from '../probe.ts'
import type { Found } from '../sample.ts'
import type { CommandConfig } from './schema.ts'

/** How a command ended, and what it wrote. */
export type Output = { readonly exit: number; readonly text: string }

/** Its exit code first, then what it wrote, of which nothing is repeated. */
export async function judgeOutput(config: CommandConfig, { exit, text }: Output, cel: ProbeCapabilities['cel']): Promise<Found> {
  if (![config.exit].flat().includes(exit)) return { verdict: 'failed', message: `exited with ${exit}, expected ${exitText(config)}` }
  if (config.cel === undefined) return { verdict: 'passed', message: `exited with ${exit}` }
  const output = jsonOf(text)
  if (output === undefined) return { verdict: 'failed', message: `exited with ${exit}, and wrote no JSON` }
  return celFound(await cel(config.cel, { output, exit }), 'what it wrote')
}

export function outputThreshold(config: CommandConfig): string {
  return `exit = ${exitText(config)}${config.cel === undefined ? '' : `, ${config.cel}`}`
}

function exitText({ exit }: CommandConfig): string {
  return [exit].flat().join(' or ')
}

/** All that was written, or, where words come before it, the last line. */
function jsonOf(text: string): Json | undefined {
  for (const candidate of [text, text.trimEnd().split('\n').at(-1) ?? '']) {
    try {
      return JSON.parse(candidate) as Json
    } catch {
      // not this one
    }
  }
  return undefined
}
