import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { drivers } from './registry.ts'

const folder = import.meta.dirname
const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name)

test('every folder is a driver of the registry, and every driver has a folder', () => {
  expect(folders.length).toBeGreaterThan(0)
  expect(drivers.map((driver) => driver.id).toSorted()).toEqual(folders.toSorted())
})

test('every driver has a README and runs the conformance suite', () => {
  const lacking = drivers.flatMap(({ id }) => ['README.md', 'conformance.test.ts'].map((file) => `${id}/${file}`)).filter((file) => !existsSync(join(folder, file)))
  expect(lacking).toEqual([])
})
