import { expect, test } from 'vitest'
import { exposition } from './exposition.ts'

test('counters and gauges are a line each, with what a label holds escaped', () => {
  const text = exposition([{ name: 'runs_total', type: 'counter', help: 'Runs \\ that\nended.', series: [{ labels: {}, value: 3 }, { labels: { a: 'x', b: 'say "no"\\\n' }, value: 0.5 }] }])
  expect(text).toBe('# HELP runs_total Runs \\\\ that\\nended.\n# TYPE runs_total counter\nruns_total 3\nruns_total{a="x",b="say \\"no\\"\\\\\\n"} 0.5\n')
})

test('a histogram has a bucket for each bound and one for all', () => {
  const text = exposition([{ name: 'took', type: 'histogram', help: 'h', series: [{ labels: { kind: 'http' }, distribution: { bounds: [0.1, 1], counts: [2, 5], count: 6, sum: 9.5 } }] }])
  expect(text.split('\n').slice(2, -1)).toEqual(['took_bucket{kind="http",le="0.1"} 2', 'took_bucket{kind="http",le="1"} 5', 'took_bucket{kind="http",le="+Inf"} 6', 'took_sum{kind="http"} 9.5', 'took_count{kind="http"} 6'])
})
