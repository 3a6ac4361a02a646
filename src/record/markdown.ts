import { calledModule } from '#model/probe-state.ts'
import type { Report } from './report.ts'
import { stamp, tellRecord } from './tell.ts'
import type { ToldRecord } from './tell.ts'

/** A report as Markdown (CommonMark with tables): nothing in a record can become markup of it. */
export function markdownOf(report: Report): string {
  const lines = [`# ${escape(report.title)}`, '', `Made ${stamp(report.madeAt)}. ${verification(report)}`, '']
  lines.push(...table(['environment', 'records', 'sealed', 'head', 'verified'], report.chains.map((chain) => [chain.environment, String(chain.records), String(chain.sealed), chain.head ?? '', chain.defects.length === 0 ? 'passed' : `failed: ${chain.defects.map((one) => `${one.where} ${one.what}`).join('; ')}`])))
  if (report.leftOut > 0) lines.push(`${report.leftOut} older records are left out.`, '')
  lines.push('## Timeline', '')
  lines.push(...table(['at', 'environment', 'what', 'modules', 'told', 'since', 'by'], report.moments.map((one) => [stamp(one.at), one.environment, one.kind, one.modules.map(calledModule).join(', '), one.text, one.onset === null ? '' : stamp(one.onset), one.by ?? ''])))
  lines.push('## Records', '')
  for (const { statement, digest } of report.records) lines.push(...told(tellRecord(statement, digest)))
  return `${lines.join('\n')}\n`
}

/** What was held against what, in a sentence. */
export function verification({ key, chains }: Report): string {
  const well = chains.every((chain) => chain.defects.length === 0)
  return `The records ${well ? 'verified' : 'did not verify'} with the key ${key.keyId}, which came ${key.came}; to check them anew: plumb record verify.`
}

function told({ heading, facts, tables }: ToldRecord): string[] {
  return [`### ${escape(heading)}`, '', ...table(['', ''], facts.map(([name, value]) => [name, value])), ...tables.flatMap((one) => [`**${escape(one.title)}**`, '', ...table(one.columns, one.rows)])]
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`
  return [line(columns), `|${columns.map(() => ' --- |').join('')}`, ...rows.map(line), '']
}

/** Every character that Markdown or HTML could take for its own, and what GitHub would make a link of; no line breaks or control characters. */
function escape(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]()#+!|~$@]|:(?=\/\/)|(?<=www)\./gi, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
}
