import { expect, test } from 'vitest'
import { describeStores } from '../../test/stores.ts'
import { auditEntries, saveAudit } from './audit.ts'
import { hold } from './inventory.ts'

describeStores('what an audit source tells', ({ store: openStore }) => {
  test('is kept once, of what is held; what names no object is of each that is held there', async () => {
    const store = await openStore()
    await store.script('truncate inventory, audit_entry')
    const keys = ['core/ConfigMap/shop/a', 'apps/Deployment/shop/b', 'core/ConfigMap/shop-two/c', 'core/Namespace//shop']
    for (const key of keys) await hold(store, { place: 'place', key, uid: 'u', environment: 'staging', module: 'web', desired: 'sha256:1', fields: [], run: 'run-1' })
    const told = (id: string, object: string) => saveAudit(store, 'staging', 'cluster', [{ id, object, verb: 'delete', user: 'kim', manager: 'kubectl', at: 5 }])
    expect(await told('1', 'core/ConfigMap/shop/a')).toEqual(['core/ConfigMap/shop/a'])
    expect(await told('1', 'core/ConfigMap/shop/a')).toEqual([])
    expect(await told('2', 'core/ConfigMap/shop/elsewhere')).toEqual([])
    expect(await told('3', 'core/ConfigMap/shop/*')).toEqual(['core/ConfigMap/shop/a'])
    expect((await told('4', '*/*/shop/*')).sort()).toEqual(['apps/Deployment/shop/b', 'core/ConfigMap/shop/a'])
    expect(await told('4', '*/*/shop/*')).toEqual([])
    expect(await auditEntries(store, 'staging', 'cluster', ['apps/Deployment/shop/b'])).toEqual([{ object: 'apps/Deployment/shop/b', verb: 'delete', user: 'kim', manager: 'kubectl', at: 5 }])
  })
})
