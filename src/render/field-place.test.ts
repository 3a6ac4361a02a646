import { expect, test } from 'vitest'
import { placeOfField } from './field-place.ts'

const text = `# The first
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: { team: a, tier: web }
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: side
          image: side:1
        - name: app
          image: web:1
          ports:
            - containerPort: 8080
`
const lines = text.split('\n')
const at = (path: string | undefined, from = 6): string => lines[placeOfField(Buffer.from(text), 'web.yaml', from, path).line - 1] ?? ''

test.each([
  ['spec.replicas', '  replicas: 2'],
  ['metadata.labels.tier', '  labels: { team: a, tier: web }'],
  ['spec.template.spec.containers[name="app"].image', '          image: web:1'],
  ['spec.template.spec.containers[name="app"].ports[containerPort=8080,protocol="TCP"].containerPort', '            - containerPort: 8080'],
  ['spec.template.spec.containers[name="app"].resources.limits.cpu', '        - name: app'],
  ['spec.strategy.type', 'spec:'],
  ['data.nothing', 'apiVersion: apps/v1'],
])('%s', (path, line) => {
  expect(at(path)).toBe(line)
})

test('a whole object, and another document of the file', () => {
  expect(at(undefined)).toBe('apiVersion: apps/v1')
  expect(at('metadata.name', 2)).toBe('metadata: { name: shop }')
  expect(placeOfField(Buffer.from(text), 'web.yaml', 3, 'spec.replicas')).toEqual({ line: 3, column: 1 })
})

test('the column is that of the value, or of the name of what has parts', () => {
  const column = (path: string): number => placeOfField(Buffer.from(text), 'web.yaml', 6, path).column
  expect(column('spec.replicas')).toBe(13)
  expect(column('metadata.labels.tier')).toBe(28)
  expect(column('spec.template')).toBe(3)
})
