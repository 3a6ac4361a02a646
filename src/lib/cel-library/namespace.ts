import type { Environment } from '@marcbachmann/cel-js'

/** A name before a dot, as `sets` in `sets.contains(a, b)`; returns the type that its functions are registered for, with a first argument to be passed over. */
export function addNamespace(environment: Environment, name: string): string {
  class Namespace {
    readonly namespace = name
  }
  const type = `kubernetes.${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
  environment.registerType(type, Namespace).registerConstant(name, type, new Namespace())
  return type
}
