import { expect, test } from 'vitest'
import { attributesOf } from './attributes.ts'

const rows = [
  ['GET', '/api/v1/namespaces/a/pods', 'list pods/ a/'],
  ['GET', '/api/v1/namespaces/a/pods?watch=true', 'watch pods/ a/'],
  ['GET', '/api/v1/namespaces/a/pods?watch=0', 'list pods/ a/'],
  ['GET', '/api/v1/watch/namespaces/a/pods/p', 'watch pods/ a/p'],
  ['GET', '/api/v1/namespaces/a/pods/p', 'get pods/ a/p'],
  ['HEAD', '/api/v1/namespaces/a/pods/p', 'get pods/ a/p'],
  ['GET', '/api/v1/namespaces/a/pods/p/log?follow=true', 'get pods/log a/p'],
  ['GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dp', 'list pods/ a/p'],
  ['GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dp&watch=1', 'watch pods/ a/p'],
  ['GET', '/api/v1/pods', 'list pods/ /'],
  ['GET', '/api/v1/namespaces', 'list namespaces/ /'],
  ['GET', '/api/v1/namespaces/a', 'get namespaces/ a/a'],
  ['PUT', '/api/v1/namespaces/a/finalize', 'update namespaces/finalize a/a'],
  ['PATCH', '/api/v1/namespaces/a/status', 'patch namespaces/status a/a'],
  ['POST', '/apis/apps/v1/namespaces/a/deployments', 'create deployments/.apps a/'],
  ['PATCH', '/apis/apps/v1/namespaces/a/deployments/d/scale', 'patch deployments/scale.apps a/d'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments/d', 'delete deployments/.apps a/d'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection deployments/.apps a/'],
  ['POST', '/api/v1/namespaces/a/serviceaccounts/s/token', 'create serviceaccounts/token a/s'],
  ['GET', '/apis/no.such/v9/things/%E0%A4%A', 'get things/.no.such /%E0%A4%A'],
] as const

test.for(rows)('%s %s', ([method, url, expected]) => {
  const [path = '', query = ''] = url.split('?')
  const { verb, group, resource, subresource, namespace, name, resourceRequest } = attributesOf(method, path, new URLSearchParams(query))
  expect([resourceRequest, `${verb} ${resource}/${subresource}${group === '' ? '' : `.${group}`} ${namespace}/${name}`]).toEqual([true, expected])
})

test.for([['GET', '/'], ['GET', '/version'], ['GET', '/api'], ['GET', '/api/v1'], ['GET', '/apis/apps'], ['GET', '/apis/apps/v1'], ['POST', '/openapi/v3/api/v1'], ['GET', '/other/a/b/c/d']] as const)('%s %s is no request for a resource', ([method, path]) => {
  expect(attributesOf(method, path, new URLSearchParams())).toMatchObject({ resourceRequest: false, verb: method.toLowerCase(), path })
})
