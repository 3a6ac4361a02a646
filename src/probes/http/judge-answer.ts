import type { HttpAnswer } from '#clients/http/request.ts'
import type { Json } from '#lib/json.ts'
import type { Found } from '../sample.ts'
import { judge, show, worstOf } from '../thresholds.ts'
import { atJsonPath, readJsonPath } from './json-path.ts'
import type { HttpConfig } from './schema.ts'

const dayMs = 86_400_000

/** Headers of an answer whose values are never repeated. */
const secretHeaders = /cookie|auth|token|secret|key/i

/** Everything that is asked of an answer, the worst of it. `now` is when it came, `tookMs` how long it took. */
export function judgeAnswer(config: HttpConfig, answer: HttpAnswer, now: number, tookMs: number): Found {
  const found: [Found, ...Found[]] = [statusFound(config, answer.status)]
  if (found[0].verdict === 'failed') return found[0]
  if (config.header !== undefined) found.push(headerFound(config.header, answer))
  if (config.body !== undefined) found.push(bodyFound(config.body, answer))
  if (config.json !== undefined) found.push(jsonFound(config.json, answer))
  if (config.latency !== undefined) found.push(judge('latency', Math.round(tookMs), { ...config.latency, unit: 'ms' }))
  if (config.tls !== undefined) found.push(tlsFound(config.tls, answer, now))
  const worst = worstOf(found)
  // What was measured is worth more than the status that it came with.
  const measured = found.findLast((one) => one !== found[0] && one.value !== undefined)
  return worst.verdict === 'passed' && measured !== undefined ? { ...measured, message: `${worst.message}, ${measured.message}` } : worst
}

/** `2xx`, `200`, `200 or 204`. */
export function expectedStatus(config: HttpConfig): string {
  return [config.status].flat().join(' or ')
}

function statusFound(config: HttpConfig, status: number): Found {
  const fits = [config.status].flat().some((rule) => (typeof rule === 'number' ? rule === status : Number(rule[0]) === Math.floor(status / 100)))
  const base = { value: status, threshold: `status = ${expectedStatus(config)}` }
  if (fits) return { ...base, verdict: 'passed', message: `answered ${status}` }
  return { ...base, verdict: 'failed', message: `answered ${status}, expected ${expectedStatus(config)}` }
}

function headerFound(rule: NonNullable<HttpConfig['header']>, answer: HttpAnswer): Found {
  const name = rule.name.toLowerCase()
  const value = Object.hasOwn(answer.headers, name) ? answer.headers[name] : undefined
  const threshold = `header ${name}${rule.equals === undefined ? '' : ` = ${show(rule.equals)}`}${rule.contains === undefined ? '' : ` contains ${show(rule.contains)}`}`
  if (value === undefined) return { threshold, verdict: 'failed', message: `answered ${answer.status} without the header ${name}` }
  const shown = secretHeaders.test(name) ? 'another value' : show(value)
  if (rule.equals !== undefined && value !== rule.equals) return { threshold, verdict: 'failed', message: `header ${name} is ${shown}, expected ${show(rule.equals)}` }
  if (rule.contains !== undefined && !value.includes(rule.contains)) return { threshold, verdict: 'failed', message: `header ${name} is ${shown}, which does not contain ${show(rule.contains)}` }
  return { threshold, verdict: 'passed', message: `has the header ${name}` }
}

function bodyFound(written: NonNullable<HttpConfig['body']>, { body, cut }: HttpAnswer): Found {
  const { contains, notContains } = typeof written === 'string' ? { contains: written, notContains: undefined } : written
  const where = cut ? 'the first MiB of the body' : 'the body'
  const threshold = [...(contains === undefined ? [] : [`body contains ${show(contains)}`]), ...(notContains === undefined ? [] : [`body does not contain ${show(notContains)}`])].join(', ')
  if (contains !== undefined && !body.includes(contains)) return { threshold, verdict: 'failed', message: `${where} does not contain ${show(contains)}` }
  if (notContains !== undefined && body.includes(notContains)) return { threshold, verdict: 'failed', message: `the body contains ${show(notContains)}` }
  return { threshold, verdict: 'passed', message: 'the body is as expected' }
}

function jsonFound(rule: NonNullable<HttpConfig['json']>, { body, cut }: HttpAnswer): Found {
  const path = readJsonPath(rule.path)
  if (path === undefined) return { verdict: 'unknown', message: `${show(rule.path)} is no path such as $.a.b[0].c` }
  if (cut) return { verdict: 'failed', message: 'the body is longer than 1 MiB, and is not read as JSON' }
  let document: Json
  try {
    document = JSON.parse(body) as Json
  } catch {
    return { verdict: 'failed', message: 'the body is no JSON' }
  }
  const value = atJsonPath(document, path)
  if (value === undefined) return { verdict: 'failed', message: `the body has nothing at ${rule.path}` }
  const found = judge(rule.path, value, rule)
  // A sample is no place for documents, and a text that nobody compared may be anything.
  if (typeof value === 'number' || typeof value === 'boolean') return found
  const { value: _left, ...rest } = found
  return rest
}

function tlsFound(rule: NonNullable<HttpConfig['tls']>, answer: HttpAnswer, now: number): Found {
  if (answer.certificateEnds === undefined) return { verdict: 'failed', message: 'the connection has no TLS' }
  const days = Math.floor((answer.certificateEnds - now) / dayMs)
  return judge('the certificate’s days left', days, { min: rule.minDaysLeft ?? 0, warn: rule.warnDaysLeft, unit: 'days' })
}
