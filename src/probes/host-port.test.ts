import { expect, test } from 'vitest'
import { hostAndPort, showHostAndPort } from './host-port.ts'
import { httpUrl, withScheme } from './http-url.ts'

test.each<[string, number | undefined, string]>([
  ['db:5433', undefined, 'db:5433'],
  ['postgres://db/orders', undefined, 'db:5432'],
  ['https://shop.example/x', undefined, 'shop.example:443'],
  ['[::1]:53', undefined, '[::1]:53'],
  ['ns.example', 53, 'ns.example:53'],
])('the host and port of %s (usual port %s) are %s', (address, usual, shown) => {
  expect(showHostAndPort(hostAndPort(address, 'orders-db', usual))).toBe(shown)
})

test.each(['db', '', 'db:0', 'db:port', 'a b:1', '://x'])('an address without both is refused by its name, and not repeated: %j', (address) => {
  expect(() => hostAndPort(address, 'orders-db')).toThrow(expect.objectContaining({ code: 'address-invalid', subject: 'orders-db', hint: expect.stringContaining('host:port') }))
})

test('only http and https are asked by HTTP', () => {
  expect(httpUrl(withScheme('shop:8080'), 'shop').href).toBe('http://shop:8080/')
  for (const text of ['ftp://shop', 'file:///etc/passwd', 'http://', 'javascript:alert(1)']) expect(() => httpUrl(text, 'shop')).toThrow(expect.objectContaining({ code: 'address-invalid', subject: 'shop' }))
})
