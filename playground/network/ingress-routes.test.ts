import { expect, test } from 'vitest'
import type { Ingress } from '#playground/controllers/kinds.ts'
import { Routes } from './ingress-routes.ts'

const rule = (service: string, host: string | undefined, path: string, pathType = 'Prefix'): Ingress => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: service, namespace: 'shop', uid: service },
  spec: { rules: [{ ...(host === undefined ? {} : { host }), http: { paths: [{ path, pathType, backend: { service: { name: service, port: { number: 80 } } } }] } }] },
})
const routes = Routes.of([
  rule('any', undefined, '/'),
  rule('wild', '*.example', '/'),
  rule('front', 'shop.example', '/'),
  rule('api', 'shop.example', '/api'),
  rule('exact', 'shop.example', '/api/status', 'Exact'),
])

test.each([
  ['shop.example:8080', '/', 'front'],
  ['SHOP.example', '/apiary', 'front'],
  ['shop.example', '/api?x=1', 'api'],
  ['shop.example', '/api/orders', 'api'],
  ['shop.example', '/api/status', 'exact'],
  ['other.example', '/api', 'wild'],
  ['a.b.example', '/', 'any'],
  ['example', '/', 'any'],
  ['', '/', 'any'],
])('%s%s goes to %s', (host, path, service) => {
  expect(routes.find(host, path)?.backend.service?.name).toBe(service)
})

test('nothing is found where no rule fits', () => {
  expect(Routes.of([rule('front', 'shop.example', '/shop')]).find('shop.example', '/shopping')).toBeUndefined()
})
