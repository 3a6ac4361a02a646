import { type Environment, Optional } from '@marcbachmann/cel-js'
import { labelKeyProblems, labelNameProblems, labelValueProblems, serviceNameProblems, subdomainProblems } from '../object-names.ts'
import { addNamespace } from './namespace.ts'
import { urlProblems } from './urls.ts'

const unless = (ok: (text: string) => boolean, problem: string) => (text: string): string[] => (ok(text) ? [] : [problem])

/** What may be the beginning of a name that is made up: a hyphen at its end does no harm. */
const asPrefix = (text: string): string => (text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text)

/** Base64 as `govalidator` takes it. */
const base64 = /^(?:[A-Za-z0-9+/]{4})+$|^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)$/
const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  const time = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text)
}

function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t')
  const [, hour = '', minute = '', second = ''] = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/.exec(time) ?? []
  return isDate(date) && hour !== '' && hour <= '23' && minute <= '59' && second <= '59'
}

/** What is wrong with a text, by the name of a format. Source: apiserver's `pkg/cel/library/format.go`. */
const formats: Readonly<Record<string, (text: string) => string[]>> = {
  dns1123Label: labelNameProblems,
  dns1123Subdomain: subdomainProblems,
  dns1035Label: serviceNameProblems,
  qualifiedName: labelKeyProblems,
  dns1123LabelPrefix: (text) => labelNameProblems(asPrefix(text)),
  dns1123SubdomainPrefix: (text) => subdomainProblems(asPrefix(text)),
  dns1035LabelPrefix: (text) => serviceNameProblems(asPrefix(text)),
  labelValue: labelValueProblems,
  uri: urlProblems,
  uuid: unless((text) => uuid.test(text), 'does not match the UUID format'),
  byte: unless((text) => base64.test(text), 'invalid base64'),
  date: unless(isDate, 'invalid date'),
  datetime: unless(isDateTime, 'invalid datetime'),
}

const patternLengths: Readonly<Record<string, number>> = {
  dns1123Label: 30, dns1123Subdomain: 60, dns1035Label: 30, qualifiedName: 60, dns1123LabelPrefix: 30, dns1123SubdomainPrefix: 60, dns1035LabelPrefix: 30, labelValue: 40, uri: 1103, uuid: 70, byte: 84, date: 71, datetime: 71,
}

/** Kubernetes' library `format`: `format.dns1123Label().validate(text)` is nothing, or what is wrong. */
export function addFormats(environment: Environment): Environment {
  class Format {
    readonly problems: (text: string) => string[]
    /** Of the pattern that a real server counts with when it tells what a check costs. */
    readonly patternLength: number

    constructor(name: string, problems: (text: string) => string[]) {
      this.problems = problems
      this.patternLength = patternLengths[name] ?? 0
    }
  }
  const [all, one] = [addNamespace(environment, 'format'), 'kubernetes.NamedFormat']
  environment.registerType(one, Format)
  for (const [name, problems] of Object.entries(formats)) {
    const format = new Format(name, problems)
    environment.registerFunction(`${all}.${name}(): ${one}`, () => format)
  }
  return environment
    .registerFunction(`${all}.named(string): optional<${one}>`, (_: unknown, name: string) => {
      const problems = Object.hasOwn(formats, name) ? formats[name] : undefined
      return problems === undefined ? Optional.none() : Optional.of(new Format(name, problems))
    })
    .registerFunction(`${one}.validate(string): optional<list<string>>`, ({ problems }: Format, text: string) => {
      const found = problems(text)
      return found.length === 0 ? Optional.none() : Optional.of(found)
    })
}
