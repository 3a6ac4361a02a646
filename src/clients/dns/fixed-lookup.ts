import type { LookupFunction } from 'node:net'

/** What `node:net` asks in place of the system: the addresses that were resolved and checked before, so that nothing is resolved a second time. */
export function fixedLookup(addresses: readonly string[]): LookupFunction {
  return (_host, options, answer) => {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    const [first] = all
    if (first === undefined) answer(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '')
    else if (options.all === true) answer(null, all)
    else answer(null, first.address, first.family)
  }
}
