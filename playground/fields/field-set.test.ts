import { describe, expect, test } from 'vitest'
import { FieldSet } from './field-set.ts'
import { decodeManagers, encodeManagers, type Managers } from './managers.ts'
import { parsePathElement, showPath } from './path-element.ts'

const sample = { 'f:b': {}, 'f:a': { '.': {}, 'k:{"port":80,"name":"x"}': { '.': {}, 'f:name': {} }, 'v:"z"': {}, 'v:2': {}, 'i:0': {} } }

test('a set is written in the server’s order, its keys canonical, and reads back as itself', () => {
  const set = FieldSet.fromFieldsV1(sample)
  expect(JSON.stringify(set.toFieldsV1())).toBe('{"f:a":{".":{},"k:{\\"name\\":\\"x\\",\\"port\\":80}":{".":{},"f:name":{}},"v:2":{},"v:\\"z\\"":{},"i:0":{}},"f:b":{}}')
  expect(FieldSet.fromFieldsV1(set.toFieldsV1()).toFieldsV1()).toEqual(set.toFieldsV1())
})

test('paths come with the members of a level before what lies deeper', () => {
  expect(FieldSet.fromFieldsV1(sample).paths().map(showPath)).toEqual(['.a', '.b', '.a[name="x",port=80]', '.a[=2]', '.a[="z"]', '.a[0]', '.a[name="x",port=80].name'])
})

test('set operations', () => {
  const a = FieldSet.fromFieldsV1({ 'f:x': { '.': {}, 'f:y': {} }, 'f:z': {} })
  const b = FieldSet.fromFieldsV1({ 'f:x': {}, 'f:w': {} })
  expect(a.union(b).toFieldsV1()).toEqual({ 'f:w': {}, 'f:x': { '.': {}, 'f:y': {} }, 'f:z': {} })
  expect(a.intersection(b).toFieldsV1()).toEqual({ 'f:x': {} })
  expect(a.difference(b).toFieldsV1()).toEqual({ 'f:x': { 'f:y': {} }, 'f:z': {} })
  expect(a.recursiveDifference(b).toFieldsV1()).toEqual({ 'f:z': {} })
  expect(a.difference(a).empty).toBe(true)
})

describe('what cannot be read is refused', () => {
  test.each(['', 'x', 'f', 'g:a', 'k:', 'k:[]', 'k:{}', 'k:{', 'v:', 'v:{', 'i:', 'i:x'])('path element %j', (text) => {
    expect(parsePathElement(text)).toBeUndefined()
  })

  test.each([
    [null, 'not an object'],
    [{ 'x:a': {} }, 'unable to parse path element "x:a"'],
    [{ 'f:a': 1 }, 'is not an object'],
    [{ 'f:a': [] }, 'is not an object'],
  ])('fields %j', (fields, message) => {
    expect(() => FieldSet.fromFieldsV1(fields)).toThrow(message)
  })

  const good = { apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} }, manager: 'm', operation: 'Update' }
  test.each([['text'], [[1]], [[{ ...good, operation: 'Bogus' }]], [[{ ...good, apiVersion: '' }]], [[{ ...good, fieldsType: 'V9' }]], [[{ ...good, fieldsV1: { 'q:': {} } }]]])('managedFields %j', (entries) => {
    expect(decodeManagers(entries)).toBeInstanceOf(Error)
  })
})

test('names that are special in JavaScript are fields as others', () => {
  const fields = JSON.parse('{"f:__proto__":{"f:constructor":{}},"f:toString":{}}') as object
  expect(FieldSet.fromFieldsV1(fields).toFieldsV1()).toEqual(fields)
})

test('entries are in order: appliers, then by time, none first, then by name', () => {
  const entry = (manager: string, operation: string, time?: string) => ({ apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:a': {} }, manager, operation, ...(time === undefined ? {} : { time }) })
  const entries = [entry('u', 'Update', '2026-01-01T00:00:00Z'), entry('b', 'Apply', '2026-01-01T00:00:01Z'), entry('c', 'Apply'), entry('a', 'Apply', '2026-01-01T00:00:01Z')]
  expect(encodeManagers(decodeManagers(entries) as Managers).map(({ manager }) => manager)).toEqual(['c', 'a', 'b', 'u'])
})
