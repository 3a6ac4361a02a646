import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Schema } from '#playground/contract.ts'
import { brokenRules } from './rule-definitions.ts'

/** What a kube-apiserver 1.36.3 said of rules on a schema, each made at random: null where it took one, else why not. Those with several problems, or with a type that has no name, are left out. */
const recorded = JSON.parse(readFileSync(new URL('recorded-types.json', import.meta.url), 'utf8')) as { schema: Schema; rules: Record<string, string | null> }
/** Rules that were written for their costs: it took all of them. */
const taken = JSON.parse(readFileSync(new URL('recorded-estimates.json', import.meta.url), 'utf8')) as { estimates: { schema: Schema; rules: [string, number | null][] }[] }

/** What is said of a rule for a value that is not the root. */
function saidOf(schema: Schema, rule: NonNullable<Schema['x-kubernetes-validations']>[number]): string[] {
  const spec = { ...schema, 'x-kubernetes-validations': [rule] }
  return brokenRules({ type: 'object', properties: { spec } }, 's').map(({ field, message }) => `${field}: ${message}`)
}

const rules = Object.entries(recorded.rules)

describe('the types of rules', () => {
  test('what a real server takes is taken', () => {
    expect(rules.filter(([rule, why]) => why === null && saidOf(recorded.schema, { rule }).length > 0)).toEqual([])
    const refused = taken.estimates.flatMap(({ schema, rules: those }) => those.filter(([rule]) => saidOf(schema, { rule }).some((text) => !text.includes('must evaluate to a bool'))))
    expect(refused).toEqual([])
    expect(saidOf(recorded.schema, { rule: 'self.items.size() == 0 || has(self.items[0].port)' })).toEqual([])
  })

  test('what it refuses is refused in its words, but for what only a whole type checker would see', () => {
    const counts = { same: 0, otherwise: 0, taken: 0 }
    for (const [rule, why] of rules.filter(([, answer]) => answer !== null)) {
      const [said] = saidOf(recorded.schema, { rule })
      if (said === undefined) counts.taken += 1
      else if (said.endsWith(`"OptionalOldSelf":null}: ${why}`)) counts.same += 1
      else counts.otherwise += 1
    }
    expect(counts).toEqual({ same: 275, otherwise: 51, taken: 47 })
  })

  test.each([
    ['self.replicas > "a"', 'compilation failed: ERROR: <input>:1:15: found no matching overload for \'_>_\' applied to \'(int, string)\'\n | self.replicas > "a"\n | ..............^'],
    ['self.nope == 1 &&\n  self.name.nope', "compilation failed: ERROR: <input>:1:5: undefined field 'nope'\n | self.nope == 1 &&\n | ....^\nERROR: <input>:2:12: type 'string' does not support field selection\n |   self.name.nope\n | ...........^"],
    ['self.replicas', 'cel expression must evaluate to a bool'],
  ])('%j is told with its place', (rule, why) => {
    const [said] = saidOf(recorded.schema, { rule, message: 'no' })
    const shown = `{"Rule":${JSON.stringify(rule).replace('>', '\\u003e').replaceAll('&', '\\u0026')},"Message":"no","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}`
    expect(said).toBe(`s.properties[spec].x-kubernetes-validations[0].rule: Invalid value: ${shown}: ${why}`)
  })

  test('a message is a text', () => {
    const said = (messageExpression: string) => saidOf(recorded.schema, { rule: 'true', messageExpression })[0]?.replace(/^.*\.(?=messageExpression: )|Invalid value: \{.*?\}: /g, '')
    expect(said('"it has " + self.name')).toBeUndefined()
    expect(said('self.replicas')).toBe('messageExpression: messageExpression must evaluate to a string')
    expect(said('self.nope')).toMatch(/^messageExpression: messageExpression compilation failed: ERROR: <input>:1:5: undefined field 'nope'/)
  })
})
