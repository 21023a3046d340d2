import Type, { type Static } from 'typebox';
import { priorities } from '../../model/alarm.ts';
import { atMs, record, words } from './shape.ts';

const count = () => Type.Integer({ minimum: 0 });
const PriorityShape = words(priorities);

const figures = {
  alarms: count(),
  physiological: count(),
  technical: count(),
  perBedAndDay: Type.Number(),
  high: count(),
  medium: count(),
  low: count(),
  byAbout: Type.Array(
    record({
      about: Type.String({ description: 'the metric, or the condition of an alarm without one' }),
      priority: PriorityShape,
      alarms: count(),
      perBedAndDay: Type.Number(),
    }),
  ),
  floodShare: Type.Number({ description: 'share of ten-minute stretches with more than ten alarms' }),
  responseP50S: Type.Number({ description: 'from raising to the first act of a person' }),
  responseP90S: Type.Number(),
  responded: count(),
  acknowledgedS: Type.Number(),
  pauses: count(),
  short: Type.Integer({ minimum: 0, description: 'ended within 15 s of being raised' }),
};

const RowShape = record({
  ...figures,
  day: Type.String({ description: 'yyyy-mm-dd in the zone of the gateway' }),
  shift: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 23, description: 'hour at which the shift begins' }),
  ),
  fromMs: atMs(),
  toMs: atMs(),
});

const ReportShape = record({
  ward: Type.String(),
  fromMs: atMs(),
  toMs: atMs(),
  beds: count(),
  total: record(figures),
  days: Type.Array(RowShape),
  shifts: Type.Array(RowShape),
  topBeds: Type.Array(record({ bed: Type.String(), alarms: count(), short: count() })),
  topMetrics: Type.Array(record({ about: Type.String(), alarms: count(), short: count() })),
  proposals: Type.Array(
    record({
      metric: Type.String(),
      direction: words(['low', 'high'] as const),
      priority: PriorityShape,
      alarms: count(),
      short: count(),
      delayS: Type.Number(),
      spared: count(),
    }),
  ),
});
type Kept<T> = T extends readonly (infer E)[]
  ? readonly Kept<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Kept<T[K]> }
    : T;
export type AlarmReport = Kept<Static<typeof ReportShape>>;
export const AlarmReportShape = Type.Unsafe<AlarmReport>(ReportShape);

const columns = [
  'alarms',
  'perBedAndDay',
  'high',
  'medium',
  'low',
  'physiological',
  'technical',
  'floodShare',
  'responseP50S',
  'responseP90S',
  'responded',
  'acknowledgedS',
  'pauses',
  'short',
] as const;

/** One line a scope: the whole time, each day, each shift, each of these by metric and priority, then the beds. */
export function reportCsv(report: AlarmReport): string {
  const lines = [['scope', 'day', 'shift', 'about', 'priority', ...columns].join(',')];
  const line = (scope: string, row: Partial<AlarmReport['days'][number]>): void => {
    const when = [scope, row.day ?? '', row.shift ?? ''];
    lines.push([...when, '', '', ...columns.map((column) => row[column] ?? '')].join(','));
    for (const { about, priority, alarms, perBedAndDay } of row.byAbout ?? [])
      lines.push([...when, quoted(about), priority, alarms, perBedAndDay].join(','));
  };
  line('total', report.total);
  for (const row of report.days) line('day', row);
  for (const row of report.shifts) line('shift', row);
  for (const { bed, alarms } of report.topBeds)
    lines.push(['bed', '', '', quoted(bed), '', alarms].join(','));
  return lines.map((text) => `${text}\r\n`).join('');
}

/** RFC 4180; a leading sign that a spreadsheet would reckon with is made text. */
const quoted = (text: string): string => {
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};
