import { convert } from '../../model/units.ts';
import { metrics } from '../../model/metric-table.ts';
import {
  reasons,
  seriesKey,
  splitKey,
  validities,
  type Reason,
  type Validity,
} from '../../model/observation.ts';
import {
  kinds,
  packFlags,
  packReason,
  type Counters,
  type ObservationBatchBuilder,
} from '../../journal/observation-batch.ts';
import { episodicLiveMs, historicalAfterMs, type Placed } from './device-clock.ts';
import { Digest } from './digest.ts';
import { KeyNames, Sample, Series, seriesBound, type LiveDevice } from './live-device.ts';
import { rawOf, type QuarantineCause } from './quarantine.ts';
import type { DeviceHour, Tallies } from './tallies.ts';
import type { Entered } from './seen.ts';
import type { StoredRow } from '../store/types.ts';
import type { IntakeListeners } from './types.ts';

/** Printable, no control characters, no U+0000: `REFID`, `REFID/channel`, or a word Vigil does not know. */
const keyPattern = /^[\x21-\x7e\u00a1-\u{10ffff}][\x20-\x7e\u00a1-\u{10ffff}]{0,127}$/u;
const bootPattern = /^[A-Za-z0-9._:-]{1,64}$/;
const validitySet: ReadonlySet<unknown> = new Set(validities);
const reasonSet: ReadonlySet<unknown> = new Set(reasons);

export type CorrectedTo = { readonly value: number } | { readonly code: string };

export interface ReaderOptions {
  readonly builder: ObservationBatchBuilder;
  readonly counters: Counters;
  readonly tallies: Tallies;
  readonly listeners: IntakeListeners;
  readonly added: () => void;
  /** A duplicate: it is confirmed with whatever of its class is still on its way. */
  readonly repeated: () => void;
  readonly quarantine: (
    device: LiveDevice,
    cause: QuarantineCause,
    payload: Uint8Array,
    receivedAtMs: number,
  ) => void;
  readonly entered: (device: LiveDevice, entered: Entered) => void;
}

/**
 * Reads one element of an `observations` message: recognises duplicates, places it in time, marks what lies outside
 * the instrument's span, hands numbers to the judge and everything to the journal — in the tick of arrival, without
 * an object a value. Whatever cannot be read is quarantined alone; its neighbours are kept.
 */
export class ObservationReader {
  private readonly options: ReaderOptions;
  private readonly names = new KeyNames();
  private readonly digest = new Digest();
  private readonly placed: Placed = { takenAtMs: 0, historical: false, doubtful: false, unplaced: false };
  private device!: LiveDevice;
  private receivedAtMs = 0;

  constructor(options: ReaderOptions) {
    this.options = options;
  }

  read(device: LiveDevice, element: unknown, receivedAtMs: number): void {
    this.device = device;
    this.receivedAtMs = receivedAtMs;
    const cause = refusal(element);
    if (cause !== undefined) return this.refuse(cause, element);
    const message = element as Element;
    const { counters, builder } = this.options;
    const values = message.values;
    const takenAtMs = typeof message.takenAtMs === 'number' ? message.takenAtMs : NaN;

    const digest = this.digest.reset();
    digest.number(takenAtMs);
    let observations = 0;
    for (const key in values) {
      const seen = values[key];
      const series = device.series.get(key);
      digest.word(series === undefined ? this.unknownKeyHash(key) : series.keyHash);
      if (typeof seen === 'number') digest.number(seen);
      else digest.json(seen);
      observations += 1;
    }
    digest.end();

    counters.received += observations;
    device.received += observations;
    const hour = this.hour();
    hour.received += observations;
    const entered = device.seen.enter(message.boot, message.seq, takenAtMs, digest.high, digest.low);
    if (!entered.kept) {
      counters.duplicate += observations;
      device.duplicates += observations;
      hour.duplicate += observations;
      if (message.historical === true) hour.historical += observations;
      this.options.repeated();
      return;
    }
    if (entered.reused || !entered.bounded) this.options.entered(device, entered);

    const ageMs = typeof message.ageMs === 'number' ? message.ageMs : NaN;
    device.clock.place(takenAtMs, ageMs, message.historical === true, receivedAtMs, this.placed);
    builder.message(device.bootName(entered.boot), message.seq, receivedAtMs, digest.high, digest.low);
    for (const key in values) this.value(key, values[key]);
    device.messages += 1;
    this.options.added();
    if (!this.placed.historical) this.options.listeners.messageTaken(device.id, receivedAtMs);
  }

  /** A value of before the start: shown, never judged again. */
  restoreLatest(device: LiveDevice, row: StoredRow): void {
    this.device = device;
    const series = this.openSeries(seriesKey(row.metric, row.channel));
    if (typeof series === 'string' || series.latest) return;
    const { takenAtMs, receivedAtMs, value, text, code, reason, validity, historical } = row;
    series.latest = Object.assign(new Sample(), {
      takenAtMs,
      receivedAtMs,
      value,
      text,
      code,
      reason,
      validity,
      historical,
    });
  }

  /** What a person said instead of a charted value; undefined: there was no such measurement. */
  corrected(device: LiveDevice, key: string, takenAtMs: number, now: CorrectedTo | undefined): void {
    const latest = device.series.get(key)?.latest;
    if (latest?.takenAtMs !== takenAtMs) return;
    latest.value = now && 'value' in now ? now.value : null;
    latest.code = now && 'code' in now ? now.code : undefined;
    latest.text = undefined;
    latest.validity = now ? 'valid' : 'invalid';
    latest.reason = now ? undefined : 'not-measured';
  }

  private value(key: string, seen: unknown): void {
    const series = this.device.series.get(key) ?? this.openSeries(key);
    if (typeof series === 'string') return this.refuseValue(series, key, seen);
    if (typeof seen === 'number') this.number(series, seen, this.placed.takenAtMs, 'valid', undefined);
    else this.special(series, key, seen);
  }

  /** A number in the metric's own unit. */
  private number(
    series: Series,
    value: number,
    takenAtMs: number,
    told: Validity,
    mark: Reason | undefined,
  ): void {
    if (!Number.isFinite(value)) return this.refuseValue('bad-value', series.key, String(value));
    let validity = told;
    let reason = mark;
    if (series.metric === undefined) {
      if (validity === 'valid') validity = 'questionable';
      reason ??= 'unknown-metric';
    } else if (value < series.low || value > series.high) {
      validity = 'invalid';
      reason = 'out-of-span';
    }
    const { mode } = this.device;
    if (mode === 'demo' || mode === 'test') reason = mode;
    else if (this.placed.doubtful) reason ??= 'clock';
    const { placed, receivedAtMs } = this;
    const historical = this.isHistorical(series, takenAtMs);
    const flags = packFlags(validity, kinds.number, historical, placed.unplaced);
    this.options.builder.observation(series.name, takenAtMs, value, flags, packReason(reason));
    if (placed.unplaced) return;
    this.note(series, takenAtMs, value, validity, reason, historical);
    if (mode === 'demo' || mode === 'test') return;
    if (validity === 'invalid') {
      if (!historical) this.options.listeners.unusable(series, takenAtMs, reason);
    } else series.watch?.sample(takenAtMs, value, validity === 'questionable', historical, receivedAtMs);
  }

  /** Everything that is not a bare number: null with a reason, marked or converted numbers, codes, texts. */
  private special(series: Series, key: string, seen: unknown): void {
    if (typeof seen !== 'object' || seen === null || Array.isArray(seen))
      return this.refuseValue('bad-value', key, seen);
    const told = seen as ToldValue;
    const cause = valueRefusal(told);
    if (cause !== undefined) return this.refuseValue(cause, key, seen);
    const { placed, receivedAtMs, device } = this;
    const takenAtMs =
      told.takenAtMs === undefined
        ? placed.takenAtMs
        : device.clock.placeValue(told.takenAtMs, placed, receivedAtMs);
    if (this.isRepeat(series, takenAtMs, told)) {
      // The same measuring time is the same measurement (CLINICAL 2): a cuff value sent again is not a new one.
      this.options.counters.duplicate += 1;
      device.duplicates += 1;
      const hour = this.hour();
      hour.duplicate += 1;
      if (placed.historical) hour.historical += 1;
      return;
    }
    if (typeof told.value === 'number') {
      const own = series.metric?.unit;
      const value = told.unit === undefined || told.unit === own ? told.value : convertTo(told, own, series);
      if (value === undefined) return this.refuseValue('bad-unit', key, seen);
      return this.number(series, value, takenAtMs, told.validity ?? 'valid', told.reason);
    }
    this.valueless(series, told, takenAtMs);
  }

  private valueless(series: Series, told: ToldValue, takenAtMs: number): void {
    const { builder, listeners } = this.options;
    const { placed, device } = this;
    const historical = this.isHistorical(series, takenAtMs);
    const missing = told.text === undefined && told.code === undefined;
    const kind = told.text !== undefined ? kinds.text : told.code !== undefined ? kinds.code : kinds.none;
    const demo = device.mode === 'demo' || device.mode === 'test' ? (device.mode as Reason) : undefined;
    const reason = demo ?? told.reason ?? (missing ? 'not-measured' : undefined);
    const validity: Validity =
      told.validity ?? (missing ? 'invalid' : series.metric === undefined ? 'questionable' : 'valid');
    const flags = packFlags(validity, kind, historical, placed.unplaced);
    builder.observation(series.name, takenAtMs, NaN, flags, packReason(reason));
    if (told.text !== undefined) builder.text(told.text);
    else if (told.code !== undefined) builder.text([told.code, told.system ?? '']);
    if (placed.unplaced) return;
    this.note(series, takenAtMs, null, validity, reason, historical);
    if (series.latest?.takenAtMs === takenAtMs) {
      series.latest.text = told.text;
      series.latest.code = told.code;
    }
    if (missing && !historical && demo === undefined) listeners.unusable(series, takenAtMs, reason);
  }

  /** Keeps the newest by measuring time; a late value never replaces it. */
  private note(
    series: Series,
    takenAtMs: number,
    value: number | null,
    validity: Validity,
    reason: Reason | undefined,
    historical: boolean,
  ): void {
    const latest = (series.latest ??= new Sample());
    if (takenAtMs < latest.takenAtMs) return;
    latest.takenAtMs = takenAtMs;
    latest.receivedAtMs = this.receivedAtMs;
    latest.value = value;
    latest.text = undefined;
    latest.code = undefined;
    latest.reason = reason;
    latest.validity = validity;
    latest.historical = historical;
  }

  private isHistorical(series: Series, takenAtMs: number): boolean {
    const { placed, receivedAtMs } = this;
    if (series.episodic && !placed.unplaced) return receivedAtMs - takenAtMs > episodicLiveMs;
    return placed.historical || receivedAtMs - takenAtMs > historicalAfterMs;
  }

  private isRepeat(series: Series, takenAtMs: number, told: ToldValue): boolean {
    const { latest } = series;
    if (!series.episodic || told.takenAtMs === undefined || latest === undefined) return false;
    return latest.takenAtMs === takenAtMs && typeof told.value === 'number' && latest.value !== null;
  }

  private openSeries(key: string): Series | QuarantineCause {
    if (!keyPattern.test(key)) return 'bad-key';
    if (this.device.series.size >= seriesBound) return 'too-many-series';
    const series = new Series(this.device.id, key, metrics.get(splitKey(key).metric), this.names.of(key));
    this.device.series.set(key, series);
    this.options.listeners.seriesSeen(series);
    return series;
  }

  private unknownKeyHash(key: string): number {
    const series = this.openSeries(key);
    return typeof series === 'string' ? 0 : series.keyHash;
  }

  private hour(): DeviceHour {
    const { device, receivedAtMs } = this;
    return (device.hours.numerics = this.options.tallies.at(device.id, receivedAtMs, device.hours.numerics));
  }

  private refuse(cause: QuarantineCause, element: unknown): void {
    this.options.counters.received += 1;
    this.device.received += 1;
    this.options.quarantine(this.device, cause, rawOf(element), this.receivedAtMs);
  }

  /** The observation was counted as received with its element; now it counts as quarantined, in the books of that class. */
  private refuseValue(cause: QuarantineCause, key: string, seen: unknown): void {
    this.hour().received -= 1;
    this.options.quarantine(this.device, cause, rawOf({ [key]: seen }), this.receivedAtMs);
  }
}

interface Element {
  readonly boot: string;
  readonly seq: number;
  readonly takenAtMs?: unknown;
  readonly ageMs?: unknown;
  readonly historical?: unknown;
  readonly values: Readonly<Record<string, unknown>>;
}

interface ToldValue {
  readonly value?: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly system?: string;
  readonly unit?: string;
  readonly validity?: Validity;
  readonly reason?: Reason;
  readonly takenAtMs?: number;
}

/** Why an element as a whole cannot be read. */
function refusal(element: unknown): QuarantineCause | undefined {
  if (typeof element !== 'object' || element === null || Array.isArray(element)) return 'not-an-object';
  const { boot, seq, values, takenAtMs, ageMs, historical } = element as Partial<
    Record<keyof Element, unknown>
  >;
  if (typeof boot !== 'string' || !bootPattern.test(boot)) return 'bad-boot';
  if (!Number.isSafeInteger(seq) || (seq as number) < 0) return 'bad-seq';
  if (takenAtMs !== undefined && typeof takenAtMs !== 'number') return 'bad-field';
  if (ageMs !== undefined && (typeof ageMs !== 'number' || !(ageMs >= 0))) return 'bad-field';
  if (historical !== undefined && typeof historical !== 'boolean') return 'bad-field';
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return 'no-values';
  return undefined;
}

const isText = (text: unknown, most: number): boolean => typeof text === 'string' && text.length <= most;

function valueRefusal(told: ToldValue): QuarantineCause | undefined {
  const shown = [told.value !== undefined, told.text !== undefined, told.code !== undefined].filter(
    Boolean,
  ).length;
  if (shown > 1 || (shown === 0 && told.reason === undefined)) return 'bad-value';
  if (told.value !== undefined && told.value !== null && !Number.isFinite(told.value)) return 'bad-value';
  if (told.text !== undefined && !isText(told.text, 1024)) return 'bad-value';
  if (told.code !== undefined && (!isText(told.code, 128) || !isText(told.system ?? '', 128)))
    return 'bad-value';
  if (told.unit !== undefined && !isText(told.unit, 32)) return 'bad-unit';
  if (told.validity !== undefined && !validitySet.has(told.validity)) return 'bad-value';
  if (told.reason !== undefined && !reasonSet.has(told.reason)) return 'bad-value';
  if (told.takenAtMs !== undefined && !Number.isFinite(told.takenAtMs)) return 'bad-value';
  return undefined;
}

/** A metric we do not know keeps its value only in the unit it never told us: a named unit cannot be checked. */
function convertTo(told: ToldValue, own: string | undefined, series: Series): number | undefined {
  if (own === undefined || told.unit === undefined || typeof told.value !== 'number')
    return told.value ?? undefined;
  return convert(told.value, told.unit, own, series.metricId);
}
