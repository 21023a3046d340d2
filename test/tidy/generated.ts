import { alarmTables } from '../../gateway/alarm/print-tables.ts';
import { ConfigSchema } from '../../gateway/config/schema.ts';
import { faultTable } from '../../model/fault-table.ts';
import type { FaultRow } from '../../model/fault.ts';
import { metrics } from '../../model/metric-table.ts';

/** A part of a page that is made from the code: `npm run docs` writes it, `tidy.test.ts` compares it. */
interface Part {
  readonly page: string;
  readonly name: string;
  make(): string;
}

export const parts: readonly Part[] = [
  { page: 'docs/operating.md', name: 'settings', make: settingsTable },
  { page: 'docs/operating.md', name: 'faults', make: faultsTable },
  { page: 'docs/metrics.md', name: 'metrics', make: metricsTable },
  ...Object.entries(alarmTables).map(([name, make]) => ({ page: 'docs/alarms.md', name, make })),
];

/** The text of a page with all its parts as they should be. */
export const renewed = (page: string, text: string): string =>
  parts.filter((part) => part.page === page).reduce((now, part) => replacePart(now, part), text);

function replacePart(text: string, { page, name, make }: Part): string {
  const begin = `<!-- ${name}: begin, written by npm run docs -->`;
  const end = `<!-- ${name}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no "${begin}" … "${end}"`);
  return `${text.slice(0, from)}${begin}\n\n${make()}\n\n${text.slice(to)}`;
}

const cell = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');

function faultsTable(): string {
  const rows = Object.entries(faultTable as Record<string, FaultRow>);
  return table(
    ['code', 'class', 'what happened', 'what to do'],
    rows.map(([code, row]) => [`\`${code}\``, row.class, row.message, row.whatToDo]),
  );
}

function metricsTable(): string {
  return table(
    ['reference id', 'MDC', 'LOINC', 'unit (UCUM)', 'span', 'English', '中文', 'in doubt'],
    [...metrics.values()].map((metric) => [
      `\`${metric.refId}\``,
      String(metric.mdc ?? '–'),
      metric.loinc?.join(', ') ?? '–',
      metric.value === 'number' ? `\`${metric.unit}\`` : metric.value,
      metric.span ? `${metric.span[0]} to ${metric.span[1]}` : '–',
      metric.name.en + (metric.episodic ? ' (episodic)' : ''),
      metric.name.zh,
      metric.doubt ?? '',
    ]),
  );
}

/** As much of a schema as a row shows. */
interface Setting {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Setting[];
  readonly properties?: Readonly<Record<string, Setting>>;
  readonly items?: Setting;
}

function settingsTable(): string {
  const rows = settingsIn('', ConfigSchema as unknown as Setting);
  return table(['setting', 'value', 'default', 'what it is'], rows);
}

const settingsIn = (path: string, schema: Setting): string[][] =>
  schema.properties
    ? Object.entries(schema.properties).flatMap(([name, each]) =>
        settingsIn(path ? `${path}.${name}` : name, each),
      )
    : [
        [`\`${path}\``, valueOf(schema), defaultOf(schema), schema.description ?? ''],
        ...(schema.items?.properties ? settingsIn(`${path}[]`, schema.items) : []),
      ];

function valueOf(schema: Setting): string {
  if (schema.anyOf) return schema.anyOf.map((each) => String(each.const)).join(', ');
  if (schema.const !== undefined) return String(schema.const);
  const bounds = [
    schema.minimum === undefined ? '' : `from ${schema.minimum}`,
    schema.maximum === undefined ? '' : `to ${schema.maximum}`,
  ].filter(Boolean);
  return [schema.type ?? 'any', ...bounds].join(' ');
}

const defaultOf = (schema: Setting): string =>
  schema.default === undefined ? 'none' : `\`${JSON.stringify(schema.default)}\``;
