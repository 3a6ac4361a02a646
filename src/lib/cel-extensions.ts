import type { Environment } from '@marcbachmann/cel-js'
import { addAddresses } from './cel-library/addresses.ts'
import { addComprehensions } from './cel-library/comprehensions.ts'
import { addFormats } from './cel-library/formats.ts'
import { addLists } from './cel-library/lists.ts'
import { addQuantities } from './cel-library/quantities.ts'
import { addRegex } from './cel-library/regex.ts'
import { addStrings } from './cel-library/strings.ts'
import { addUrls } from './cel-library/urls.ts'
import { addVersions } from './cel-library/versions.ts'

/**
 * The functions beyond the CEL standard that Kubernetes 1.36 has (https://kubernetes.io/docs/reference/using-api/cel/): strings, lists, sets, regular
 * expressions, two-variable comprehensions, quantities, URLs, IP addresses and CIDRs, named formats, and semantic versions. The library `authz` is
 * the playground's own: it needs somebody to ask.
 */
export function addExtensions(environment: Environment): Environment {
  for (const add of [addStrings, addLists, addRegex, addComprehensions, addQuantities, addUrls, addAddresses, addFormats, addVersions]) add(environment)
  return environment
}
