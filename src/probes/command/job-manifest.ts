import { digestOf } from '#lib/digest.ts'
import type { JsonObject } from '#lib/json.ts'
import type { JobPlace } from '../probe.ts'
import type { CommandConfig } from './schema.ts'

/** By this label, and its value, a Job is known to be one of ours. */
export const probeLabel = 'plumbline.dev/probe-job'
export const containerName = 'command'

/** However it goes on with whoever asked: nothing runs for longer, and what has ended does not stay. A step's stays until its run is taken up again. */
const activeDeadlineSeconds = 600
const ttlSecondsAfterFinished = 60
const stepTtlSeconds = 3_600

export type JobQuestion = Pick<CommandConfig, 'target' | 'image' | 'argv' | 'env'>

/** The same question of the same owner has the same Job: what a crash has left behind is found by its name. */
export function jobName({ owner }: Pick<JobPlace, 'owner'>, { target, image, argv, env }: JobQuestion): string {
  return `plumb-probe-${digestOf([owner, target, image, argv ?? null, env]).replace(/^sha256:/, '').slice(0, 16)}`
}

export function jobManifest(place: Pick<JobPlace, 'namespace' | 'serviceAccount' | 'owner' | 'step'>, question: JobQuestion): JsonObject {
  const name = jobName(place, question)
  const labels = { [probeLabel]: name, 'app.kubernetes.io/managed-by': 'plumbline' }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: place.namespace, labels, annotations: { 'plumbline.dev/probe-of': place.owner } },
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: place.step === undefined ? activeDeadlineSeconds : Math.ceil(place.step.timeoutMs / 1000),
      ttlSecondsAfterFinished: place.step === undefined ? ttlSecondsAfterFinished : stepTtlSeconds,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: place.serviceAccount,
          enableServiceLinks: false,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: containerName,
              image: question.image ?? '',
              ...(question.argv === undefined ? {} : { command: [...question.argv] }),
              env: Object.entries(question.env).map(([variable, value]) => ({ name: variable, value })),
              resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { cpu: '1', memory: '256Mi' } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  }
}
