import { expect, test } from 'vitest'
import { claimAddresses } from './addresses.ts'

test('a block of addresses belongs to one cluster', async () => {
  const [first, second] = [await claimAddresses(), await claimAddresses()]
  const third = await claimAddresses(first.block)
  expect(new Set([first.block, second.block, third.block]).size).toBe(3)
  await Promise.all([first, second, third].map((addresses) => addresses.close()))
})

test('pods and Services have addresses that nobody else has, and lead where they say', async () => {
  const addresses = await claimAddresses()
  const ips = [addresses.claimPodIp(), addresses.claimPodIp(), addresses.nextServiceIp(new Set()), addresses.nodeIp]
  expect(new Set(ips).size).toBe(4)
  expect(addresses.nextServiceIp(new Set([ips[2] ?? '']))).not.toBe(ips[2])
  expect(await addresses.reach(ips[0] ?? '', 8080)).toEqual({ host: ips[0], port: 8080 })
  await addresses.close()
})

test('a pod address that was given back is not given out again at once', async () => {
  const addresses = await claimAddresses()
  const first = addresses.claimPodIp()
  addresses.releasePodIp(first)
  expect(addresses.claimPodIp()).not.toBe(first)
  await addresses.close()
})

test('253 pods are too many, and that is told', async () => {
  const addresses = await claimAddresses()
  for (let index = 0; index < 253; index += 1) addresses.claimPodIp()
  expect(() => addresses.claimPodIp()).toThrow(expect.objectContaining({ code: 'playground-addresses' }))
  await addresses.close()
})

test('where only 127.0.0.1 can be bound, each address and port has a port of its own there', async () => {
  const addresses = await claimAddresses('127.20.4', async () => ({ code: 'EADDRNOTAVAIL' }))
  expect(addresses).toMatchObject({ mode: 'one-address', block: '127.20.4', nodeIp: '127.0.0.1' })
  const ip = addresses.claimPodIp()
  const [first, again, other] = [await addresses.reach(ip, 8080), await addresses.reach(ip, 8080), await addresses.reach(ip, 8081)]
  expect(first.host).toBe('127.0.0.1')
  expect(again).toEqual(first)
  expect(other.port).not.toBe(first.port)
  addresses.releasePodIp(ip)
  expect((await addresses.reach(ip, 8080)).port).toBeGreaterThan(0)
  await addresses.close()
})

test('a machine without a free block is told after a number of attempts', async () => {
  await expect(claimAddresses(undefined, async () => ({ code: 'EADDRINUSE' }))).rejects.toMatchObject({ code: 'playground-addresses' })
})
