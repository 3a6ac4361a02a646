import { posix } from 'node:path'
import { Failure } from '#lib/failure.ts'
import { follow } from '../follow.ts'
import type { Renderer } from '../renderer.ts'

/** Charts are known, and refused: read as plain manifests, their templates would be errors that help nobody. */
export const helm: Renderer = {
  id: 'helm',
  fingerprint: async () => '0',
  detect: async (reader, path) => (await follow(reader, posix.join(path, 'Chart.yaml')))?.type === 'blob',
  render: async (_, reader, path) => {
    throw new Failure({
      code: 'render-unsupported',
      subject: `${reader.repository}/${path}/Chart.yaml`,
      message: 'Helm charts are not rendered yet',
      hint: 'Run `helm template` in CI and commit the manifests.',
    })
  },
}
