import { expect, test } from 'vitest'
import { standingFields } from './standing.ts'
import { heldOf, liveOf, ours, owner } from './testing.ts'

const image = 'spec.template.spec.containers[name="app"].image'
const name = 'spec.template.spec.containers[name="app"].name'
const held = heldOf([{ path: 'spec.replicas', git: 2 }, { path: image, git: 'web:1', answered: 'registry/web:1' }, { path: name, git: 'app' }])
const live = liveOf(
  {
    metadata: { name: 'web', annotations: { note: 'mine' } },
    spec: { replicas: 5, template: { spec: { containers: [{ name: 'app', image: 'registry/web:1', imagePullPolicy: 'Always' }, { name: 'sidecar', image: 'proxy:1' }] } } },
    status: { replicas: 5 },
  },
  [ours([image, name]), owner('kube-controller-manager', ['spec.replicas'], { subresource: 'scale' }), owner('kubectl-annotate', ['metadata.annotations.note']), owner('kube-controller-manager', ['status.replicas'], { subresource: 'status' })],
  { delegated: [{ path: 'spec.replicas', to: 'HorizontalPodAutoscaler shop/web' }] },
)

test('tells what another rightly has its way with', () => {
  expect(standingFields(held, live, ['MutatingWebhookConfiguration images']).delegated).toEqual([
    { path: 'spec.replicas', declared: 2, live: 5, to: 'HorizontalPodAutoscaler shop/web' },
    { path: image, declared: 'web:1', live: 'registry/web:1', to: 'the API server, or MutatingWebhookConfiguration images' },
  ])
  expect(standingFields(held, live, []).delegated[1]?.to).toBe('the API server, which writes it in another form')
})

test('tells what was never declared, with its owner: defaults and what was put in have none', () => {
  expect(standingFields(held, live, []).emergent).toEqual([
    { path: 'metadata.annotations.note', owner: 'kubectl-annotate/Update' },
    { path: 'spec.template.spec.containers[name="app"].imagePullPolicy', owner: null },
    { path: 'spec.template.spec.containers[name="sidecar"].image', owner: null },
    { path: 'spec.template.spec.containers[name="sidecar"].name', owner: null },
    { path: 'status', owner: 'kube-controller-manager' },
  ])
})

test('tells what an autoscaler moves that was never declared as the autoscaler’s, where nobody else owns it', () => {
  const undeclared = heldOf([{ path: image, git: 'web:1' }])
  expect(standingFields(undeclared, { ...live, owners: [ours([image])] }, []).emergent).toContainEqual({ path: 'spec.replicas', owner: 'HorizontalPodAutoscaler shop/web' })
})
