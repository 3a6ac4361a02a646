/**
 * How the lists and maps of the built-in kinds merge, by the published API conventions: the part of Kubernetes' OpenAPI document that the
 * client's models leave out. A list that is not named here is atomic, a map is granular. Names are `<model>.<field>`.
 * Checked against the schema that client-go publishes for its apply configurations (`applyconfigurations/internal`).
 */
export const listKeys: Readonly<Record<string, readonly string[]>> = {
  ...keyed('name', [
    'V1Container.env',
    'V1ContainerStatus.allocatedResourcesStatus',
    'V1EphemeralContainer.env',
    'V1MutatingWebhook.matchConditions',
    'V1MutatingWebhookConfiguration.webhooks',
    'V1PodSpec.containers',
    'V1PodSpec.ephemeralContainers',
    'V1PodSpec.imagePullSecrets',
    'V1PodSpec.initContainers',
    'V1PodSpec.resourceClaims',
    'V1PodSpec.schedulingGates',
    'V1PodSpec.volumes',
    'V1PodStatus.resourceClaimStatuses',
    'V1ResourceRequirements.claims',
    'V1ServiceAccount.secrets',
    'V1ValidatingAdmissionPolicySpec.matchConditions',
    'V1ValidatingAdmissionPolicySpec.variables',
    'V1ValidatingWebhook.matchConditions',
    'V1ValidatingWebhookConfiguration.webhooks',
  ]),
  ...keyed('type', [
    'V1CustomResourceDefinitionStatus.conditions',
    'V1DaemonSetStatus.conditions',
    'V1DeploymentStatus.conditions',
    'V1NamespaceStatus.conditions',
    'V1NodeStatus.addresses',
    'V1NodeStatus.conditions',
    'V1PersistentVolumeClaimStatus.conditions',
    'V1PodDisruptionBudgetStatus.conditions',
    'V1PodStatus.conditions',
    'V1ReplicaSetStatus.conditions',
    'V1ServiceStatus.conditions',
    'V1StatefulSetStatus.conditions',
    'V1ValidatingAdmissionPolicyStatus.conditions',
    'V2HorizontalPodAutoscalerStatus.conditions',
  ]),
  ...keyed('mountPath', ['V1Container.volumeMounts', 'V1ContainerStatus.volumeMounts', 'V1EphemeralContainer.volumeMounts']),
  ...keyed('devicePath', ['V1Container.volumeDevices', 'V1EphemeralContainer.volumeDevices']),
  ...keyed('ip', ['V1PodSpec.hostAliases', 'V1PodStatus.podIPs']),
  ...keyed('resourceID', ['V1ResourceStatus.resources']),
  ...keyed('resourceClaimName', ['V1PodStatus.nodeAllocatableResourceClaimStatuses']),
  'V1Container.ports': ['containerPort', 'protocol'],
  'V1EphemeralContainer.ports': ['containerPort', 'protocol'],
  'V1PodSpec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
  'V1ServiceSpec.ports': ['port', 'protocol'],
}

export const sets: ReadonlySet<string> = new Set([
  'V1ContainerRestartRuleOnExitCodes.values',
  'V1Endpoint.addresses',
  'V1NodeAllocatableResourceClaimStatus.containers',
  'V1NodeSpec.podCIDRs',
  'V1PodFailurePolicyOnExitCodesRequirement.values',
  'V1UncountedTerminatedPods.failed',
  'V1UncountedTerminatedPods.succeeded',
  'V1ValidatingAdmissionPolicyBindingSpec.validationActions',
])

/** Models and fields that are one value: a selector, a reference. */
export const atomicMaps: ReadonlySet<string> = new Set([
  'CoreV1EndpointPort',
  'DiscoveryV1EndpointPort',
  'RbacV1Subject',
  'V1ConfigMapKeySelector',
  'V1EndpointAddress',
  'V1FileKeySelector',
  'V1LabelSelector',
  'V1LocalObjectReference',
  'V1MatchResources',
  'V1NamedRuleWithOperations',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1ObjectFieldSelector',
  'V1ObjectReference',
  'V1ParamKind',
  'V1ParamRef',
  'V1PodSpec.nodeSelector',
  'V1ResourceFieldSelector',
  'V1RoleRef',
  'V1SecretKeySelector',
  'V1SecretReference',
  'V1ServiceBackendPort',
  'V1ServiceSpec.selector',
  'V1TopologySelectorTerm',
  'V1TypedLocalObjectReference',
  'V1Variable',
])

/** Fields, and maps of fields, that hold quantities (`500m`, `1Gi`, 2): strings in the client's models, strings or numbers in requests. */
export const quantities: ReadonlySet<string> = new Set([
  'V1ContainerStatus.allocatedResources',
  'V1EmptyDirVolumeSource.sizeLimit',
  'V1NodeStatus.allocatable',
  'V1NodeStatus.capacity',
  'V1PersistentVolumeClaimStatus.allocatedResources',
  'V1PersistentVolumeClaimStatus.capacity',
  'V1PersistentVolumeSpec.capacity',
  'V1PodSpec.overhead',
  'V1PodStatus.allocatedResources',
  'V1ResourceFieldSelector.divisor',
  'V1ResourceRequirements.limits',
  'V1ResourceRequirements.requests',
  'V1VolumeResourceRequirements.limits',
  'V1VolumeResourceRequirements.requests',
  'V2HPAScalingRules.tolerance',
  'V2MetricTarget.averageValue',
  'V2MetricTarget.value',
  'V2MetricValueStatus.averageValue',
  'V2MetricValueStatus.value',
])

/** Defaults of fields that are list keys: without them an item that leaves its key out could not be told from others. */
export const keyDefaults: Readonly<Record<string, string>> = { 'V1ContainerPort.protocol': 'TCP', 'V1ServicePort.protocol': 'TCP' }

function keyed(key: string, lists: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(lists.map((list) => [list, [key]]))
}
