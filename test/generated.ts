import { configurationSchemas } from '../src/model/config/parse.ts'
import { configurationReference } from '../src/model/config/reference.ts'
import { openApiDocument } from '../src/api/openapi.ts'
import { probeSchemas } from '../src/probes/registry.ts'
import { apiPage } from './generate-api-page.ts'
import { cliPage } from './generate-cli-page.ts'
import { generateClient } from './generate-client.ts'
import { errorsPage } from './generate-errors-page.ts'
import { metricsPage } from './generate-metrics-page.ts'
import { probesPage } from './generate-probes-page.ts'

/** Every file that is made from the code, by its path. */
export function generated(): Record<string, string> {
  return {
    'src/api/client.ts': generateClient(),
    'docs/reference/api.md': apiPage(),
    'docs/reference/cli.md': cliPage(),
    'docs/reference/configuration.md': configurationReference(configurationSchemas(probeSchemas)),
    'docs/reference/errors.md': errorsPage(),
    'docs/reference/metrics.md': metricsPage(),
    'docs/reference/openapi.json': `${JSON.stringify(openApiDocument(), null, 2)}\n`,
    'docs/reference/probes.md': probesPage(),
  }
}
