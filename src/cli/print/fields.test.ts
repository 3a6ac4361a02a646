import { expect, test } from 'vitest'
import { printFields } from './fields.ts'

const look = { colours: false, width: 100, now: 0 }

test('tells by object what others rightly move, and whose the rest is', () => {
  const object = 'apps/Deployment/shop/web'
  const delegated = [{ path: 'spec.replicas', declared: 2, live: 5, to: 'HorizontalPodAutoscaler shop/web' }]
  const emergent = [{ path: 'metadata.annotations.note', owner: 'kubectl-annotate/Update' }, { path: 'spec.strategy.type', owner: null }]
  const failure = { code: 'kubernetes-unreachable', subject: 'the place', message: 'it does not answer', retry: 'later' as const }
  const lines = printFields({ objects: [{ object, delegated, emergent, failure: null }, { object: 'core/Service/shop/web', delegated: [], emergent: [], failure: null }, { object: 'core/ConfigMap/shop/a', delegated: [], emergent: [], failure }] }, look)
  expect(lines.slice(0, 5)).toEqual([
    'Deployment shop/web',
    '  delegated  spec.replicas: Git says 2, it is 5  HorizontalPodAutoscaler shop/web',
    '  emergent   metadata.annotations.note  kubectl-annotate/Update',
    '  emergent   spec.strategy.type  nobody’s: a default, or put in',
    'ConfigMap shop/a',
  ])
  expect(lines.join('\n')).toContain('it does not answer')
  expect(printFields({ objects: [] }, look)).toEqual(['Every field that there is was declared, and is nobody else’s.'])
})
