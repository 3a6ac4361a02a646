import { describe, expect, test } from 'vitest'
import { openApiDocument } from './openapi.ts'
import { routes } from './routes.ts'

const document = openApiDocument()

describe('the document of the API', () => {
  test('has every route, with its role', () => {
    const described = Object.values(document.paths).flatMap((operations) => Object.values(operations) as { operationId?: string; description: string }[])
    expect(described.flatMap((one) => one.operationId ?? []).sort()).toEqual(routes.map((route) => route.id).sort())
    for (const route of routes) expect(described.find((one) => one.operationId === route.id)?.description).toContain(`\`${route.role}\``)
  })

  test('refers to nothing that it does not have', () => {
    const named = [...JSON.stringify(document).matchAll(/"#\/([^"]+)"/g)].map(([, path]) => path ?? '')
    expect(named.length).toBeGreaterThan(20)
    const at = (path: string): unknown => path.split('/').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document)
    expect(named.filter((path) => at(path) === undefined)).toEqual([])
  })

  test('is the same each time', () => {
    expect(JSON.stringify(openApiDocument())).toBe(JSON.stringify(document))
  })
})
