import { describe, expect, test } from 'vitest'
import { refusedAddress } from './refused-address.ts'
import { resolveHost } from './resolve-host.ts'

const soon = (): AbortSignal => AbortSignal.timeout(10_000)

describe('resolving a host', () => {
  test.each([
    ['169.254.169.254'], ['169.254.0.1'], ['100.100.100.200'], ['0.0.0.0'], ['0.1.2.3'], ['224.0.0.1'], ['239.255.255.255'], ['255.255.255.255'],
    ['[fe80::1]'], ['fe80::1%lo'], ['FEBF::1'], ['fd00:ec2::254'], ['FD00:0EC2:0:0:0:0:0:0254'], ['::'], ['[::]'], ['ff02::1'],
    // IPv4 in IPv6: mapped, compatible, NAT64, 6to4.
    ['::ffff:169.254.169.254'], ['[::ffff:a9fe:a9fe]'], ['0:0:0:0:0:ffff:a9fe:a9fe'], ['::169.254.169.254'], ['64:ff9b::a9fe:a9fe'], ['64:ff9b:1::a9fe:a9fe'], ['2002:a9fe:a9fe::1'], ['::ffff:0:0'],
    // What the system's resolver takes for an address: decimal, octal, hexadecimal, short.
    ['2852039166'], ['0xa9fea9fe'], ['0xa9.0xfe.0xa9.0xfe'], ['0251.0376.0251.0376'], ['169.16689662'], ['0'], ['0x0'],
  ])('refuses %s', async (host) => {
    await expect(resolveHost(host, soon())).rejects.toMatchObject({ code: 'probe-out-of-reach', subject: host })
  })

  test.each([['127.0.0.1', '127.0.0.1'], ['10.1.2.3', '10.1.2.3'], ['[::1]', '::1'], ['192.168.0.1', '192.168.0.1'], ['0x7f000001', '127.0.0.1'], ['fd12::1', 'fd12::1'], ['::ffff:10.0.0.1', '::ffff:10.0.0.1']])('lets %s be', async (host, address) => {
    expect(await resolveHost(host, soon())).toEqual([address])
  })

  test('gives every address of a name', async () => {
    const addresses = await resolveHost('localhost', soon())
    expect(addresses.length).toBeGreaterThan(0)
    expect(addresses.filter((address) => address !== '127.0.0.1' && address !== '::1')).toEqual([])
  })

  test('tells that a name is not known, and that something is no name', async () => {
    await expect(resolveHost('nobody.invalid', soon())).rejects.toMatchObject({ code: expect.stringMatching(/^dns-(not-found|failed)$/) })
    for (const host of ['', 'a b', 'a/b', 'host\0.example', `${'x'.repeat(300)}.example`]) await expect(resolveHost(host, soon())).rejects.toMatchObject({ code: 'dns-not-found' })
  })

  test('ends with its signal', async () => {
    await expect(resolveHost('localhost', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  })

  test('takes what is no address for refused', () => {
    expect(['', 'localhost', '1.2.3', '1.2.3.4.5', ':::'].filter((text) => !refusedAddress(text))).toEqual([])
  })
})
