import { expect, test } from 'vitest'
import { describeStores } from '../../test/stores.ts'
import { acceptPolicy, completePolicy, policyOf } from './snapshots.ts'

describeStores('A policy of an earlier version', ({ open }) => {
  test('gets what it lacks, and never takes the place of one that was accepted meanwhile', async () => {
    const sql = await open()
    await acceptPolicy(sql, 'production', { tier: 'production' }, 's-1', 1)
    const earlier = await policyOf(sql, 'production')
    await completePolicy(sql, 'production', { tier: 'production', probes: [] }, earlier!)
    expect(await policyOf(sql, 'production')).toEqual({ config: { tier: 'production', probes: [] }, snapshot: 's-1', at: 1 })
    await acceptPolicy(sql, 'production', { tier: 'sandbox' }, 's-2', 2)
    await completePolicy(sql, 'production', { tier: 'production', probes: [] }, earlier!)
    expect(await policyOf(sql, 'production')).toEqual({ config: { tier: 'sandbox' }, snapshot: 's-2', at: 2 })
  })
})
