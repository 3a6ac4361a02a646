import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { openCel } from './cel.ts'

const cel = openCel({ timeoutMs: 400 })
afterAll(() => cel.close())

const object = { metadata: { name: 'orders', labels: { app: 'orders' } }, status: { phase: 'Active', replicas: 2, share: 0.5, ready: null, ports: [80, 443] } }
const evaluate = (expression: string, variables: Record<string, unknown> = { object }): Promise<unknown> => cel.evaluate(expression, variables)
/** A regular expression that backtracks for ages. */
const hangs = `"${'a'.repeat(60)}!".matches("^(a+)+$")`

describe('CEL', () => {
  test.each([
    ['object.status.phase == "Active"', true],
    ['object.status.replicas >= 2 && object.status.replicas < 2.5', true],
    ['object.status.share > 0', true],
    ['object.status.ready == null', true],
    ['has(object.status.nothing)', false],
    ['object.status.?nothing.orValue(7)', 7],
    ['object.metadata.labels["app"].startsWith("ord")', true],
    ['object.status.ports.exists(port, port == 443)', true],
    ['object.status.ports.map(port, port * 2)', [160, 886]],
    ['"orders-7".matches("^orders-[0-9]+$")', true],
    ['size(object.status.ports)', 2],
  ])('%s', async (expression, value) => {
    expect(await evaluate(expression)).toEqual(value)
  })

  test.each([
    ['9007199254740993', '9007199254740993'],
    ['1.0 / 0.0', 'Infinity'],
    ['b"abc"', 'YWJj'],
    ['timestamp("2026-01-01T00:00:00Z")', '2026-01-01T00:00:00.000Z'],
    ['optional.none()', null],
    ['{"a": 1u, "b": [1.5, "x"]}', { a: 1, b: [1.5, 'x'] }],
  ])('gives JSON for %s', async (expression, value) => {
    expect(await evaluate(expression)).toEqual(value)
  })

  test('sees nothing of JavaScript in an object', async () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      await expect(evaluate(`object.${name}`)).rejects.toMatchObject({ code: 'cel-failed' })
      expect(await evaluate(`has(object.${name})`)).toBe(false)
    }
    await expect(evaluate('process.env')).rejects.toMatchObject({ code: 'cel-failed' })
  })

  test('takes a member named __proto__ for what it is', async () => {
    const polluted = JSON.parse('{ "__proto__": { "phase": "Active" }, "name": "x" }') as object
    expect(await evaluate('has(object.phase)', { object: polluted })).toBe(false)
    expect(await evaluate('object["__proto__"].phase', { object: polluted })).toBe('Active')
  })

  test('says what is wrong with an expression, and where', async () => {
    await expect(evaluate('object.status.\n  phase == ')).rejects.toMatchObject({ code: 'cel-invalid', fields: { line: 2, column: 12 }, message: expect.stringContaining('line 2, column 12') })
    expect(cel.check('1 +')).toMatchObject({ code: 'cel-invalid', fields: { line: 1, column: 4 } })
    expect(cel.check('nosuchfunction(1)')).toMatchObject({ code: 'cel-invalid' })
    expect(cel.check('object.status.phase == "Active"')).toBeUndefined()
  })

  test.each([
    ['object.status.availableReplicas >= 1', 'Where it may be missing, ask first: has(object.status.availableReplicas) && …, or say what it is then: object.status.?availableReplicas.orValue(…).'],
    ['object["status"]["x"]', 'Where it may be missing, ask first: has(object.x) && …, or say what it is then: object.?x.orValue(…).'],
  ])('says how to ask for what is missing: %s', async (expression, hint) => {
    await expect(evaluate(expression)).rejects.toMatchObject({ code: 'cel-failed', hint })
  })

  test('refuses what is too large, and what is nested too deeply', async () => {
    expect(cel.check('1'.padEnd(10_001, ' '))).toMatchObject({ code: 'cel-invalid' })
    expect(cel.check('('.repeat(2_000) + '1' + ')'.repeat(2_000))).toMatchObject({ code: 'cel-invalid' })
    expect(cel.check('!'.repeat(9_000) + 'true')).toMatchObject({ code: 'cel-invalid' })
    expect(cel.check(`[${'1,'.repeat(1_000)}1]`)).toMatchObject({ code: 'cel-invalid' })
    await expect(evaluate('true', { object: 'x'.repeat(5_000_000) })).rejects.toMatchObject({ code: 'cel-failed', message: expect.stringContaining('at most') })
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    await expect(evaluate('true', { object: deep })).rejects.toMatchObject({ code: 'cel-failed' })
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    await expect(evaluate('true', { object: loop })).rejects.toMatchObject({ code: 'cel-failed' })
  })

  test('ends a regular expression that hangs, and goes on with the next evaluation', async () => {
    const began = performance.now()
    const asked = [evaluate(hangs), evaluate('1 + 1'), evaluate('2 + 2')]
    await expect(asked[0]).rejects.toMatchObject({ code: 'cel-timeout', message: 'the CEL expression took longer than 400 ms' })
    expect(await Promise.all(asked.slice(1))).toEqual([2, 4])
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  test('lets what hangs again and again make nobody wait but its like', async () => {
    const own = openCel({ timeoutMs: 1_000 })
    await expect(own.evaluate(hangs, {})).rejects.toMatchObject({ code: 'cel-timeout' })
    await own.evaluate('1', {})
    const order: string[] = []
    const hanging = [1, 2].map(() => own.evaluate(hangs, {}).catch(() => order.push('hung')))
    const others = [1, 2, 3].map(async (n) => {
      expect(await own.evaluate(`${n} + 1`, {})).toBe(n + 1)
      order.push('answered')
    })
    await Promise.all([...hanging, ...others])
    expect(order).toEqual(['answered', 'answered', 'answered', 'hung', 'hung'])
    await own.close()
  })

  test('ends a comprehension over comprehensions', async () => {
    const list = Array.from({ length: 300 }, (_, n) => n)
    await expect(evaluate('l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))', { l: list })).rejects.toMatchObject({ code: 'cel-timeout' })
  })

  test('does not fill the process with what an expression builds', async () => {
    const patient = openCel({ timeoutMs: 20_000 })
    const list = Array.from({ length: 400 }, (_, n) => n)
    await expect(patient.evaluate('l.map(a, l.map(b, l.map(c, [a, b, c])))', { l: list })).rejects.toMatchObject({ code: 'cel-failed', message: expect.stringContaining('memory') })
    expect(await patient.evaluate('1 + 1', {})).toBe(2)
    await patient.close()
  })

  test('evaluates nothing once it is closed', async () => {
    const closed = openCel({ timeoutMs: 400 })
    await closed.evaluate('1', {})
    await closed.close()
    await expect(closed.evaluate('1', {})).rejects.toMatchObject({ code: 'cel-failed' })
    await closed.close()
  })

  test('keeps no process alive, though nobody closed it', () => {
    const script = `import { openCel } from ${JSON.stringify(new URL('./cel.ts', import.meta.url).href)}; console.log(await openCel({ timeoutMs: 5000 }).evaluate('6 * 7', {}))`
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000, encoding: 'utf8', cwd: fileURLToPath(new URL('.', import.meta.url)) })
    expect(ended).toMatchObject({ status: 0, stdout: '42\n' })
  })
})
