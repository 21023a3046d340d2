import { findMetric } from '../../model/aliases.ts';
import type { Metric } from '../../model/metric.ts';
import { metrics } from '../../model/metric-table.ts';
import { componentOf, unescape } from '../../model/hl7/message.ts';
import type { Hl7Time } from '../../model/hl7/time.ts';
import type { Reason } from '../../model/observation.ts';
import { convert, ucumOfWire } from '../../model/units.ts';
import { missing, within, type Told } from '../transport/told.ts';
import { isNoValue, localSystem } from './dialect.ts';
import { aboutOf, treeOf, type Code, type Row } from './rows.ts';
import type { Vendor } from './settings.ts';

export type ReportedValue = Extract<Told, { kind: 'observation' }> & {
  /** When the sender says it was measured; absent: with the message. */
  readonly time?: Hl7Time;
  /** Where the row stands in the device's tree, should the same metric come twice. */
  readonly subId: string;
};
export type Reported =
  ReportedValue | { readonly kind: 'refused'; readonly cause: string; readonly about: string };

/** Metrics that say no place: each probe is a channel of its own, also while it is alone. */
const placeless: ReadonlySet<string> = new Set([
  'MDC_TEMP',
  'MDC_PRESS_BLD_SYS',
  'MDC_PRESS_BLD_DIA',
  'MDC_PRESS_BLD_MEAN',
]);

/** Undefined for a row that is no measurement: the device's structure, its attributes, what was withdrawn. */
export function readObservation(
  row: Row,
  vendor: Vendor,
  group: { readonly begin: Hl7Time | undefined; readonly end: Hl7Time | undefined },
): Reported | undefined {
  const metric = metricOf(row, vendor);
  if (!metric && isStructure(row)) return undefined;
  // D deleted, W posted wrong, N not asked for (2.6 table 0085).
  if (/^[DWN]$/.test(row.status)) return undefined;
  const told = valueOf(row, metric, vendor);
  if (told === undefined) return { kind: 'refused', cause: 'no value of its type', about: aboutOf(row) };
  if (told.kind !== 'observation') return undefined;
  const time = row.time ?? (row.aperiodic || metric?.episodic ? group.begin : group.end);
  const channel = placeless.has(told.metric) ? channelOf(row.subId) : undefined;
  return {
    ...told,
    subId: row.subId,
    ...(channel === undefined ? {} : { channel }),
    ...(time === undefined ? {} : { time }),
  };
}

/**
 * The same metric twice of one device: each by its sub-id. The numbers of the tree may change between messages, so they
 * are used only where nothing else tells two values apart.
 */
export function apart(values: readonly Reported[]): Reported[] {
  const count = new Map<string, number>();
  const key = (value: ReportedValue, channel = value.channel): string => `${value.metric}/${channel ?? ''}`;
  for (const value of values)
    if (value.kind === 'observation') count.set(key(value), (count.get(key(value)) ?? 0) + 1);
  const given = new Set<string>();
  return values.map((value): Reported => {
    if (value.kind !== 'observation' || (count.get(key(value)) ?? 0) < 2) return value;
    const channel = channelOf(value.subId, true);
    const name = key(value, channel);
    if (channel === undefined || given.has(name))
      return { kind: 'refused', cause: 'sent twice, and nothing tells the two apart', about: value.metric };
    given.add(name);
    return { ...value, channel };
  });
}

/** By the sender's code; then by its alternate one; then, without a coding system, by the vendor's own table. */
function metricOf({ code, alternate }: Row, vendor: Vendor): Metric | undefined {
  return [code, alternate].reduce<Metric | undefined>(
    (found, each) => found ?? lookUp(each, vendor),
    undefined,
  );
}

function lookUp({ code, refId, system }: Code, vendor: Vendor): Metric | undefined {
  if (/^(LN|LOINC)$/i.test(system)) return byLoinc(code);
  if (system === '' || /^MDCX?$/i.test(system)) {
    const own = system === '' ? localSystem(vendor) : undefined;
    return (
      (own === undefined ? undefined : findMetric({ vendor, system: own, code })) ??
      findMetric({ vendor, code, refId })
    );
  }
  return findMetric({ vendor, system, code, refId });
}

/** A LOINC code that several of our metrics share says not enough. */
function byLoinc(code: string): Metric | undefined {
  const found = [...metrics.values()].filter((metric) => metric.loinc?.includes(code));
  return found.length === 1 ? found[0] : undefined;
}

const isStructure = ({ type, code, status, raw }: Row): boolean =>
  type === '' ||
  /^MDC_(ATTR|DEV|EVT)_/.test(code.refId) ||
  (status === 'X' && raw === '') ||
  (code.code === '' && code.refId === '');

function valueOf(row: Row, metric: Metric | undefined, vendor: Vendor): Told | undefined {
  const name = metric?.refId ?? ownWord(row.code);
  const flagged = absence(row);
  if (flagged) return missing(name, flagged);
  const text = unescape(row.raw, row.delimiters).trim();
  if (text === '' || text === '""') return missing(name, 'not-measured');
  if (metric && metric.value !== 'number') return wordOf(row, metric);
  const number = numberOf(row.type === 'SN' ? structured(row) : text);
  if (number === undefined) {
    if (metric) return /^[-*?. ]+$/.test(text) ? missing(name, 'not-measured') : undefined;
    return marked(row, {
      kind: 'observation',
      metric: name,
      text: text.slice(0, 64),
      validity: 'questionable',
      mark: 'unknown-metric',
    });
  }
  if (isNoValue(number, metric, vendor)) return missing(name, 'not-measured');
  return metric ? known(row, metric, number) : unknown(row, name, number);
}

function known(row: Row, metric: Metric, number: number): Told {
  const unit = unitOf(row.unit);
  if (unit === 'unknown') return missing(metric.refId, 'unit');
  const own = unit === undefined ? number : convert(number, unit, metric.unit, metric.refId);
  if (own === undefined) return missing(metric.refId, 'unit');
  const told = within(metric.refId, Math.round(own * 1_000) / 1_000, metric.span ?? [-Infinity, Infinity]);
  return marked(row, told);
}

/** Kept under the sender's own word and marked, never dropped; a unit that Vigil knows stands beside it. */
function unknown(row: Row, metric: string, value: number): Told {
  const unit = unitOf(row.unit);
  const own = unit === undefined || unit === 'unknown' ? {} : { unit };
  return marked(row, {
    kind: 'observation',
    metric,
    value,
    validity: 'questionable',
    mark: 'unknown-metric',
    ...own,
  });
}

/** No delimiter of a series key, no blank; long enough to be told apart. */
const ownWord = ({ code, refId }: Code): string =>
  (refId || code)
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64) || 'unnamed';

function wordOf(row: Row, metric: Metric): Told | undefined {
  if (metric.value === 'text')
    return marked(row, {
      kind: 'observation',
      metric: metric.refId,
      text: unescape(row.raw, row.delimiters).slice(0, 256),
      validity: 'valid',
    });
  const code = componentOf(row.raw, 1, row.delimiters).slice(0, 64);
  const system = componentOf(row.raw, 3, row.delimiters).slice(0, 64);
  if (code === '') return undefined;
  return marked(row, {
    kind: 'observation',
    metric: metric.refId,
    code,
    system: system || 'local',
    validity: 'valid',
  });
}

/** OBX-8 says that there is no value (IHE: NAV, NI, OFF, BUSY, > and <); an X beside a number is no value either. */
function absence({ flags, status }: Row): Reason | undefined {
  const reasons: Readonly<Record<string, Reason>> = {
    OFF: 'sensor-off',
    NAV: 'not-measured',
    NI: 'not-measured',
    BUSY: 'searching',
    '>': 'over-range',
    '<': 'under-range',
  };
  for (const flag of flags) if (Object.hasOwn(reasons, flag)) return reasons[flag];
  return status === 'X' ? 'not-measured' : undefined;
}

/** The marks of OBX-8 on a value that is there. */
function marked({ flags }: Row, told: Told): Told {
  if (told.kind !== 'observation' || ('value' in told && told.value === null)) return told;
  const has = (flag: string): boolean => flags.includes(flag);
  if (has('DEMO')) return { ...told, validity: 'invalid', mark: 'demo' };
  if (has('TEST')) return { ...told, validity: 'invalid', mark: 'test' };
  if (has('INV')) return { ...told, validity: 'invalid', mark: 'invalid' };
  if (has('CAL')) return { ...told, validity: 'questionable', mark: 'calibrating' };
  if (has('QUES') || has('EARLY')) return { ...told, validity: 'questionable' };
  return told;
}

/** SN `comparator^number^separator^number`: a plain number only; a comparator or a ratio is no measurement. */
const structured = ({ raw, delimiters }: Row): string =>
  componentOf(raw, 1, delimiters) === '' || componentOf(raw, 1, delimiters) === '='
    ? componentOf(raw, 2, delimiters)
    : '';

function numberOf(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : undefined;
}

/** Units as senders write them beside the MDC ones; UCUM is taken as it is. */
const words: Readonly<Record<string, string>> = {
  bpm: '/min',
  rpm: '/min',
  '1/min': '/min',
  '/min': '/min',
  '{beats}/min': '/min',
  '{breaths}/min': '/min',
  '%': '%',
  mmhg: 'mm[Hg]',
  'mm[hg]': 'mm[Hg]',
  kpa: 'kPa',
  cmh2o: 'cm[H2O]',
  'cm[h2o]': 'cm[H2O]',
  '℃': 'Cel',
  '°c': 'Cel',
  c: 'Cel',
  cel: 'Cel',
  degc: 'Cel',
  '℉': '[degF]',
  '°f': '[degF]',
  '[degf]': '[degF]',
  ml: 'mL',
  'ml/h': 'mL/h',
  'l/min': 'L/min',
  mv: 'mV',
  kg: 'kg',
  cm: 'cm',
  'mg/dl': 'mg/dL',
  'mmol/l': 'mmol/L',
};

/** Undefined: none is named, so it is the metric's own. `unknown`: one is named that Vigil does not know. */
function unitOf(unit: readonly string[]): string | 'unknown' | undefined {
  const named = unit.filter((each) => each !== '' && !/^(MDC|UCUM|ISO\+?)$/i.test(each));
  if (named.length === 0) return undefined;
  for (const each of named) {
    const ucum = ucumOfWire(each) ?? words[each.toLowerCase()];
    if (ucum !== undefined) return ucum;
  }
  return 'unknown';
}

/** `strict`: two of the same metric, so a place in the tree is told whole. */
function channelOf(subId: string, strict = false): string | undefined {
  const tree = treeOf(subId);
  if (tree) {
    const { mds, vmd, channel } = tree;
    if (strict) return subId.replaceAll('.', '-').slice(0, 32);
    return mds === '1' && (vmd === '1' || vmd === '0')
      ? channel === '0'
        ? undefined
        : channel
      : `${vmd}-${channel}`;
  }
  const word = subId.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return word === '' ? undefined : word.slice(0, 32);
}
