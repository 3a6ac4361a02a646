import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { isInstalled } from './api/testing.ts'
import { type Kubectl, kubectlFor } from './api/testing-kubectl.ts'
import { type Cluster, startCluster } from './cluster.ts'

const image = 'registry.shop.example/tools/echo'
const metadata = { name: 'echo', annotations: { 'kubernetes.io/change-cause': 'the first' } }

/** Of each kind one that is called `echo`, as a team would write it. */
function workload(kind: string, spec: object, mounts: readonly object[] = []): object {
  const labels = { app: kind.toLowerCase() }
  const containers = [{ name: 'echo', image: `${image}:1.0.0`, volumeMounts: mounts }]
  return { apiVersion: 'apps/v1', kind, metadata, spec: { ...spec, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } } } }
}

const data = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
const items = [
  workload('Deployment', { replicas: 2 }),
  workload('StatefulSet', { replicas: 2, serviceName: 'echo', volumeClaimTemplates: [data] }, [{ name: 'data', mountPath: '/data' }]),
  workload('DaemonSet', {}),
]

describe.skipIf(!isInstalled('kubectl'))('kubectl rollout (skipped where kubectl is not installed)', () => {
  let dir: string
  let cluster: Cluster
  let kubectl: Kubectl
  let endKubectl: () => void

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'plumb-kubectl-'))
    cluster = await startCluster({ name: 'test', dir, compileCache: join(dir, 'compiled'), clock: systemClock, log: () => undefined, places: { apiPort: 0, ingressPort: 0 } })
    ;({ kubectl, end: endKubectl } = kubectlFor(cluster.api))
    expect(await kubectl('apply -f -', { apiVersion: 'v1', kind: 'List', items })).toMatchObject({ code: 0 })
  }, 30_000)
  afterAll(async () => {
    endKubectl?.()
    await cluster?.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  const out = async (command: string): Promise<string> => {
    const ran = await kubectl(command)
    expect({ command, ...ran }).toMatchObject({ code: 0 })
    return ran.out
  }

  test.each([
    ['deployment', /successfully rolled out/],
    ['statefulset', /complete/],
    ['daemonset', /successfully rolled out/],
  ])('of a %s: status, restart, history, undo', async (kind, done) => {
    const what = `${kind}/echo`
    const rolledOut = async (): Promise<void> => expect(await out(`rollout status ${what} --timeout=15s`)).toMatch(done)
    const live = async (): Promise<string> => out(`get ${what} -o jsonpath={.spec.template.spec.containers[0].image}`)
    await rolledOut()
    await out(`rollout restart ${what}`)
    await rolledOut()
    await out(`set image ${what} echo=${image}:1.1.0`)
    await rolledOut()
    expect(await out(`rollout history ${what}`)).toMatch(/REVISION +CHANGE-CAUSE\n1 +the first\n2 +the first\n3 +the first/)
    expect(await out(`rollout history ${what} --revision=3`)).toMatch(/Image:\t\S+:1\.1\.0/)
    expect(await out(`rollout undo ${what} --to-revision=1`)).toBe(`${kind}.apps/echo rolled back\n`)
    await rolledOut()
    expect(await live()).toBe(`${image}:1.0.0`)
    expect(await out(`get pods -l app=${kind} -o jsonpath={.items[*].spec.containers[0].image}`)).not.toContain(':1.1.0')
    expect(await out(`rollout history ${what}`)).toMatch(/CHANGE-CAUSE\n2 .*\n3 .*\n4 +the first/)
    await out(`rollout undo ${what}`)
    expect(await live()).toBe(`${image}:1.1.0`)
    expect((await kubectl(`rollout undo ${what} --to-revision=9`)).err).toMatch(/unable to find specified revision 9 in history/)
  })
})
