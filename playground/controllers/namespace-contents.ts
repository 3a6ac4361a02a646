import { controllerOf, manager, type Controller } from './controller.ts'
import { configMaps, namespaces, serviceAccounts } from './kinds.ts'

const certificates = 'kube-root-ca.crt'
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

/** Gives every namespace what it has in every cluster: the service account `default`, and the API server's authority. What is deleted or changed comes back. */
export const namespaceContentsController = (authority: string): Controller =>
  controllerOf('namespace-contents', ({ objects }) => ({
    reconcile: (name) => {
      const namespace = objects.get(namespaces, '', name)
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return
      if (objects.get(serviceAccounts, name, 'default') === undefined) objects.create(serviceAccounts, { metadata: { name: 'default', namespace: name } }, manager)
      const data = { 'ca.crt': authority }
      if (objects.get(configMaps, name, certificates) === undefined) {
        objects.create(configMaps, { metadata: { name: certificates, namespace: name, annotations: { 'kubernetes.io/description': description } }, data }, manager)
      } else objects.edit(configMaps, { namespace: name, name: certificates }, 'object', manager, (map) => void (map.data = data))
    },
    watches: (queue) => [
      objects.watch(namespaces, ({ object }) => queue.add(object.metadata.name)),
      objects.watch(serviceAccounts, ({ type, object }) => {
        if (type === 'DELETED' && object.metadata.name === 'default') queue.add(object.metadata.namespace)
      }),
      objects.watch(configMaps, ({ type, object }) => {
        if (type !== 'ADDED' && object.metadata.name === certificates) queue.add(object.metadata.namespace)
      }),
    ],
  }))
