import type { Json, JsonObject } from '#lib/json.ts'
import type { Random } from './random.ts'

/** Objects of a shop, as a base holds them. */
export function objectsOf(random: Random): JsonObject[] {
  const names = random.some(['api', 'web', 'worker'], 0.5)
  return names.flatMap((name): JsonObject[] => {
    const found = [workload(name, random)]
    if (random.chance(0.5)) found.push(service(name, random))
    if (random.chance(0.3)) found.push(settings(`${name}-settings`, random))
    if (random.chance(0.25)) found.push(queue(`${name}-queue`, random))
    return found
  })
}

function workload(name: string, random: Random): JsonObject {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: random.pick(['Deployment', 'Deployment', 'StatefulSet']),
    metadata: { name, labels: { ...labels, team: random.pick(['orders', 'shop']) }, annotations: { 'shop.example/note': random.pick(['first', 'yes', '12']) } },
    spec: {
      replicas: random.number(1, 4),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 30, containers: containers(name, random) } },
    },
  }
}

function containers(name: string, random: Random): Json[] {
  return ['app', ...random.some(['proxy', 'log'], 0.3)].map((container) => ({
    name: container,
    image: `shop/${container === 'app' ? name : container}:${random.pick(['1.0.0', '1.25', 'v2', '2026-01-01'])}`,
    ...(random.chance(0.5) ? { args: random.some(['--fast', '--port=80', '--level', '3', 'on'], 0.5) } : {}),
    env: random.some(['LEVEL', 'MODE', 'REGION', 'DEBUG'], 0.5).map((variable) => ({ name: variable, value: random.pick(['1', 'yes', 'eu-central', 'slow', '0644', 'a: b']) })),
    ports: [{ containerPort: random.pick([80, 8080]), name: 'http' }],
    resources: { limits: { cpu: random.pick(['500m', '1']), memory: '256Mi' }, requests: { cpu: '100m' } },
  }))
}

function service(name: string, random: Random): JsonObject {
  const ports = random.some([{ name: 'http', port: 80, targetPort: 8080 }, { name: 'metrics', port: 9090, targetPort: 'metrics' }], 0.6)
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'ClusterIP', selector: { app: name }, ports } }
}

function settings(name: string, random: Random): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { level: random.pick(['info', '3']), 'app.ini': '[a]\nb = 1\n', flag: 'on' } }
}

/** Of a kind whose lists have no keys that kustomize knows of. */
function queue(name: string, random: Random): JsonObject {
  return { apiVersion: 'shop.example/v1', kind: 'Queue', metadata: { name }, spec: { size: random.number(1, 9), paused: false, lanes: [{ name: 'fast', weight: 3 }, { name: 'slow', weight: 1 }] } }
}
