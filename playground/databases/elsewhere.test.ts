import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderElsewhere, removeForsaken } from './elsewhere.ts'

let temporary: string
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'plumb-elsewhere-'))
})
afterEach(() => rmSync(temporary, { recursive: true, force: true }))

test('a playground’s data elsewhere is there again at its next start, and goes when its folder has gone', () => {
  const [stays, goes] = ['stays', 'goes'].map((name) => join(temporary, name)) as [string, string]
  for (const dir of [stays, goes]) mkdirSync(dir)
  const place = folderElsewhere(stays, temporary)
  mkdirSync(join(place, 'orders'))
  const forsaken = folderElsewhere(goes, temporary)
  rmSync(goes, { recursive: true })
  removeForsaken(temporary)
  expect(folderElsewhere(stays, temporary)).toBe(place)
  expect([join(place, 'orders'), forsaken].map((path) => existsSync(path))).toEqual([true, false])
})

test('what does not say whose it is, or is no folder of ours, is left alone, and never used', () => {
  const dir = join(temporary, 'playground')
  mkdirSync(dir)
  const unlabelled = join(temporary, 'plumbline-databases-unlabelled')
  mkdirSync(unlabelled)
  const place = folderElsewhere(dir, temporary)
  rmSync(place, { recursive: true })
  symlinkSync(unlabelled, place)
  rmSync(dir, { recursive: true })
  removeForsaken(temporary)
  expect(existsSync(unlabelled)).toBe(true)
  expect(() => folderElsewhere(dir, temporary)).toThrow('is not this user’s folder')
})
