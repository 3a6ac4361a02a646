import type { Found } from '#probes/sample.ts'
import { judge, thresholdText, worstOf } from '#probes/thresholds.ts'
import type { Thresholds } from '#probes/thresholds.ts'
import type { LagRules } from '../schema.ts'
import type { Lag } from './lag.ts'

/** `<= 10 s, warns above 5 s`. */
export function lagThreshold(rules: LagRules): string {
  return [secondsRules(rules), bytesRules(rules)].flatMap((one) => (one === undefined ? [] : [thresholdText(one) ?? ''])).join(', ')
}

/** Holds a replica's lag against its rules. */
export function judgeLag(rules: LagRules, target: string, lag: Lag): Found {
  const threshold = lagThreshold(rules)
  if (lag.broken !== undefined) return { verdict: 'failed', threshold, message: `${target} ${lag.broken}` }
  const [seconds, bytes] = [secondsRules(rules), bytesRules(rules)]
  const all = [...(seconds === undefined ? [] : [judgeSeconds(seconds, lag)]), ...(bytes === undefined ? [] : [judgeBytes(bytes, lag)])]
  const [first, ...others] = all
  if (first === undefined) return { verdict: 'unknown', threshold, message: 'there is no rule for the lag' }
  const found = { ...worstOf([first, ...others]), threshold }
  return lag.paused && found.verdict === 'passed' ? { ...found, verdict: 'warned', message: `${found.message}, and its replay is paused` } : found
}

function secondsRules({ max, warn }: LagRules): Thresholds | undefined {
  return max === undefined && warn === undefined ? undefined : { max: inSeconds(max), warn: inSeconds(warn), unit: 's' }
}

function bytesRules({ maxBytes, warnBytes }: LagRules): Thresholds | undefined {
  return maxBytes === undefined && warnBytes === undefined ? undefined : { max: maxBytes, warn: warnBytes, unit: 'bytes' }
}

/** What holds of the most, and what fails of the least, is certain. */
function judgeSeconds(rules: Thresholds, { seconds, unsure }: Lag): Found {
  const most = judge('replica lag', rounded(seconds.atMost), rules)
  if (most.verdict === 'passed' || seconds.atLeast === seconds.atMost) return most
  const least = judge('replica lag', rounded(seconds.atLeast), rules)
  if (least.verdict === most.verdict) return least
  return { verdict: 'unknown', message: `the replica lag cannot be told: ${unsure ?? 'too little is known'}` }
}

function judgeBytes(rules: Thresholds, { bytes }: Lag): Found {
  return bytes === undefined ? { verdict: 'unknown', message: 'the replica lag in bytes cannot be told without its primary' } : judge('replica lag', bytes, rules)
}

/** Upwards, so that no rounding lets pass what is beyond its rule: whole seconds, and tenths below one. */
function rounded(seconds: number): number {
  if (!Number.isFinite(seconds)) return Number.MAX_SAFE_INTEGER
  return seconds > 1 ? Math.ceil(seconds) : Math.ceil(seconds * 10) / 10
}

function inSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000
}
