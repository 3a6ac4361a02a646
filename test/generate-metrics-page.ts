import { metrics } from '../src/run/metrics/catalogue.ts'

/** `docs/reference/metrics.md`: every metric, with its labels. */
export function metricsPage(): string {
  const rows = Object.entries(metrics).map(([name, { type, labels, help }]) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`)
  return `# Metrics

Generated from \`src/run/metrics/catalogue.ts\` (\`npm run docs\`): do not edit.

\`GET /metrics\` gives them in Prometheus’ text format to whoever bears the token of a viewer of the whole workspace (\`plumb token create prometheus --role viewer\`), also on the loopback:

\`\`\`yaml
scrape_configs:
  - job_name: plumbline
    authorization: { credentials_file: /etc/prometheus/plumbline.token }
    static_configs: [{ targets: ["127.0.0.1:8811"] }]
\`\`\`

All but \`plumbline_probe_duration_seconds\` are read from the store: they survive a restart, and every replica says the same, so take \`max without (instance)\` and no sum. How long probes took is
each process’s own: sum it. Delivery and verification are two metrics, and no metric is made of both.

| Metric | Type | Labels | Meaning |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
