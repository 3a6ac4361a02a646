import { describe, expect, test } from 'vitest'
import type { AuditEntry, ElevationWindow } from '#model/finding.ts'
import { attribute, type Attribution, type Traces } from './attribute.ts'
import { at, key, owner } from './testing.ts'
import { latest } from './trace.ts'

const edit = owner('kubectl-edit', ['spec.replicas'])
const scale = owner('kubectl', ['spec.replicas'], { subresource: 'scale' })
const argo = owner('argocd-controller', ['spec.replicas'], { operation: 'Apply' })
const autoscaler = owner('horizontal-pod-autoscaler', ['spec.replicas'])
const clientSide = owner('kubectl-client-side-apply', ['spec.replicas'])
const stranger = owner('python-requests', ['spec.replicas'])
const operator = [stranger, owner('python-requests', ['status.phase'], { subresource: 'status' })]

const entry = (user: string, more: Partial<AuditEntry> = {}): AuditEntry => ({ object: key, verb: 'patch', user, manager: 'kubectl-edit', at, ...more })
const elevation: ElevationWindow = { id: 'e-1', person: 'kim', from: at - 60_000, until: at + 60_000, modules: ['web'] }
const nobody: Traces = { owners: [], all: [], writtenAt: null, ours: false, audit: undefined, elevations: [], module: 'web' }
const by = (...owners: Traces['owners']): Partial<Traces> => ({ owners, all: owners, writtenAt: latest(owners) })

describe('who made a field so', () => {
  test.each<[string, Partial<Traces>, Attribution['cause'], string | null]>([
    ['1: in an elevation, by its person as the audit names them', { ...by(stranger), audit: entry('kim'), elevations: [elevation] }, 'hotfix', 'kim'],
    ['1: in an elevation, removed by its person', { audit: entry('kim'), elevations: [elevation] }, 'hotfix', 'kim'],
    ['2: in an elevation, by an interactive client', { ...by(edit), elevations: [elevation] }, 'hotfix', 'kim'],
    ['2, not: in an elevation, by a controller', { ...by(argo), elevations: [elevation] }, 'controller', null],
    ['2, not: in an elevation of another module', { ...by(edit), elevations: [{ ...elevation, modules: ['other'] }] }, 'manual', null],
    ['2, not: before the elevation', { ...by(owner('kubectl-edit', [], { at: at - 120_000 })), elevations: [elevation] }, 'manual', null],
    ['2: in an elevation of the whole environment', { ...by(edit), elevations: [{ ...elevation, modules: null }] }, 'hotfix', 'kim'],
    ['3: in an elevation, but by another person', { ...by(edit), audit: entry('lee'), elevations: [elevation] }, 'manual', 'lee'],
    ['3: by a person, under whatever name', { ...by(stranger), audit: entry('lee') }, 'manual', 'lee'],
    ['3: by a person, by client-side apply', { ...by(clientSide), audit: entry('lee') }, 'manual', 'lee'],
    ['3: removed by a person', { audit: entry('lee') }, 'manual', 'lee'],
    ['4: by a service account, under an unknown name', { ...by(stranger), audit: entry('system:serviceaccount:ops:bot') }, 'controller', null],
    ['3: by whom k3s and OpenShift hand out to people', { ...by(stranger), audit: entry('system:admin') }, 'manual', 'system:admin'],
    ['4: by a service account, by client-side apply', { ...by(clientSide), audit: entry('system:serviceaccount:argocd:argocd') }, 'controller', null],
    ['5: removed, and nobody left a trace', {}, 'unknown', null],
    ['5: changed, and still ours alone', { ours: true }, 'unknown', null],
    ['5: co-owned with us', { ...by(edit), ours: true }, 'unknown', null],
    ['6: kubectl edit', by(edit), 'manual', null],
    ['6: kubectl scale', by(scale), 'manual', null],
    ['6: two interactive clients', by(edit, scale), 'manual', null],
    ['7: another GitOps controller', by(argo), 'controller', null],
    ['7: an autoscaler whose HorizontalPodAutoscaler is gone', by(autoscaler), 'controller', null],
    ['7: an operator that also writes the status', { owners: operator.slice(0, 1), all: operator }, 'controller', null],
    ['7: composed by Crossplane', by(owner('apiextensions.crossplane.io/composed/1a2b', [])), 'controller', null],
    ['8: a client that nobody knows', by(stranger), 'unknown', null],
    ['8: client-side apply alone, which Argo CD uses too', by(clientSide), 'unknown', null],
    ['8: a controller and a person’s client', by(edit, argo), 'unknown', null],
  ])('%s', (_, traces, cause, person) => {
    expect(attribute({ ...nobody, ...traces })).toMatchObject({ cause, person })
  })
})
