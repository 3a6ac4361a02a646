/** The release that is followed, as documents and nodes name it. */
export const kubernetesVersion = 'v1.36.4'

/** What `/version` says. The behaviour followed is that of Kubernetes 1.36; the build names itself. */
export const versionInfo = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: `${kubernetesVersion}+plumbline-playground`,
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
}
