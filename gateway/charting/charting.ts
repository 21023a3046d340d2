import {
  chartedBoot,
  chartedFor,
  chartedSource,
  beforeAdmissionMs,
  confirmedChannel,
} from '../../model/charted.ts';
import type { Encounter } from '../../model/census.ts';
import type { Clock } from '../../model/clock.ts';
import type { Chance, EncounterId } from '../../model/ids.ts';
import { seriesKey, splitKey } from '../../model/observation.ts';
import type { DevicePublication } from '../intake/intake.ts';
import type { Historian, ObservationName, StoredRow } from '../store/types.ts';
import { checkValue, type ChartedValue, type RefusedValue } from './check.ts';

export interface ChartingOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly intake: {
    readonly recording: boolean;
    take(publication: DevicePublication, confirm: () => void): void;
    /** The newest value that screens show follows a correction. */
    corrected(name: ObservationName, now: Said | undefined): void;
  };
  readonly historian: Pick<Historian, 'range' | 'correct'>;
  readonly census: {
    encounter(id: EncounterId): Encounter | undefined;
    whoWasOn(device: string, atMs: number): { readonly encounter?: EncounterId } | undefined;
  };
  readonly audit: (act: ChartingAct) => void;
}
type Said = { readonly value: number } | { readonly code: string; readonly system: string };

interface ChartingAct {
  readonly by: string;
  readonly act: string;
  readonly on: string;
  readonly outcome: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What was written into the record, named as it is found again. */
export type Charted = ObservationName & Said & { readonly unit: string };

/** A charted value is another one now, or is none any more: for whoever was sent it (CLINICAL 11). */
export interface ChartCorrected {
  readonly encounter: EncounterId;
  readonly name: ObservationName;
  readonly now: Said | undefined;
  readonly by: string;
  readonly why: string;
}

export type Refused = { readonly refused: readonly RefusedValue[] };
export interface Actor {
  readonly id: string;
}

/** Sources whose counters are in memory; one that comes back later begins a boot id of its own. */
const sourceBound = 1_000;
const rowsAtAnInstant = 100;

/**
 * Charting by hand. A value takes the devices' own way: through the intake into the journal and the store, from a source
 * that belongs to the stay; the boot id says who charted. Its text is never changed: a correction is kept beside it.
 */
export class Charting {
  private readonly options: ChartingOptions;
  private readonly run: string;
  private readonly counters = new Map<string, number>();
  private readonly listeners = new Set<(corrected: ChartCorrected) => void>();

  constructor(options: ChartingOptions) {
    this.options = options;
    this.run = options.chance.hex(64);
  }

  /** Told when a correction is on disk; answers how to stop. */
  onCorrected(listener: (corrected: ChartCorrected) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** All values or none. */
  async chart(
    by: Actor,
    entry: {
      readonly encounter: EncounterId;
      readonly takenAtMs?: number;
      readonly values: readonly ChartedValue[];
      readonly sure?: boolean;
    },
  ): Promise<readonly Charted[] | 'absent' | 'not-there-then' | 'not-recorded' | Refused> {
    const { clock } = this.options;
    const takenAtMs = entry.takenAtMs ?? clock.nowMs();
    const stay = this.stayAt(entry.encounter, takenAtMs);
    if (typeof stay === 'string') return stay;
    const checked = entry.values.map((value, index) =>
      checkValue(value, { path: `/values/${index}`, sure: entry.sure ?? false }),
    );
    const refused = checked.filter((one) => 'cause' in one);
    const values = checked.filter((one) => 'said' in one);
    const named = values.map(({ metric }) => metric.refId);
    named.forEach((metric, index) => {
      const path = `/values/${index}`;
      if (named.indexOf(metric) !== index) refused.push({ path, cause: `${metric} is charted twice` });
    });
    if (refused.length > 0) return { refused };
    const entries = values.map(({ metric, said }) => ({ metric: metric.refId, said, unit: metric.unit }));
    const charted = await this.write(by, stay.id, takenAtMs, entries);
    if (charted !== 'not-recorded')
      this.options.audit({
        by: by.id,
        act: 'observation.chart',
        on: stay.id,
        outcome: 'done',
        after: charted,
      });
    return charted;
  }

  /** Puts values of devices into the record as they are: each must be the stay's own and have a usable number. */
  async confirm(
    by: Actor,
    entry: { readonly encounter: EncounterId; readonly observations: readonly ObservationName[] },
  ): Promise<readonly Charted[] | 'absent' | 'not-recorded' | Refused> {
    if (!this.options.census.encounter(entry.encounter)) return 'absent';
    const refused: RefusedValue[] = [];
    const found: StoredRow[] = [];
    for (const [index, name] of entry.observations.entries()) {
      const row = await this.find(name);
      const cause = this.refuseConfirm(entry.encounter, row);
      if (cause !== undefined) refused.push({ path: `/observations/${index}`, cause });
      else if (row) found.push(row);
    }
    if (refused.length > 0) return { refused };
    const charted: Charted[] = [];
    for (const row of found) {
      const metric = seriesKey(row.metric, confirmedChannel(row.channel));
      const said = { value: row.value ?? 0 };
      const written = await this.write(by, entry.encounter, row.takenAtMs, [{ metric, said, unit: '' }]);
      if (written === 'not-recorded') return written;
      charted.push(...written);
      const after = { ...nameOf(row), value: row.value };
      this.options.audit({
        by: by.id,
        act: 'observation.confirm',
        on: entry.encounter,
        outcome: 'done',
        after,
      });
    }
    return charted;
  }

  /** What is true instead of a charted value, or (`value` absent) that there was no such measurement. */
  async correct(
    by: Actor,
    wrong: {
      readonly encounter: EncounterId;
      readonly name: ObservationName;
      readonly value?: Omit<ChartedValue, 'metric'> & { readonly sure?: boolean };
      readonly reason: string;
    },
  ): Promise<'done' | 'absent' | 'not-charted' | Refused> {
    const { name, value, reason, encounter } = wrong;
    if (chartedFor(name.device) === undefined) return 'not-charted';
    if (name.device !== chartedSource(encounter)) return 'absent';
    const checked =
      value && checkValue({ ...value, metric: name.metric }, { path: '/value', sure: value.sure ?? false });
    if (checked && 'cause' in checked) return { refused: [checked] };
    const now = checked?.said;
    const atMs = this.options.clock.nowMs();
    const correction = { ...name, by: by.id, atMs, why: reason, ...(now ? { now } : {}) };
    const before = await this.find(name);
    if (!before || (await this.options.historian.correct(correction)) === 'absent') return 'absent';
    this.options.intake.corrected(name, now);
    const act = now ? 'observation.correct' : 'observation.retract';
    const { value: was, code } = before;
    this.options.audit({
      by: by.id,
      act,
      on: encounter,
      outcome: reason,
      before: { ...name, value: was, code },
      after: now,
    });
    for (const listener of this.listeners) listener({ encounter, name, now, by: by.id, why: reason });
    return 'done';
  }

  private stayAt(id: EncounterId, takenAtMs: number): Encounter | 'absent' | 'not-there-then' {
    const stay = this.options.census.encounter(id);
    if (!stay) return 'absent';
    const { admittedAtMs, dischargedAtMs = Infinity } = stay;
    const there = takenAtMs >= admittedAtMs - beforeAdmissionMs && takenAtMs <= dischargedAtMs;
    return there && takenAtMs <= this.options.clock.nowMs() ? stay : 'not-there-then';
  }

  private refuseConfirm(encounter: EncounterId, row: StoredRow | undefined): string | undefined {
    if (!row) return 'there is no such observation';
    if (chartedFor(row.device) !== undefined) return 'it was charted by hand already';
    if (row.unplaced || this.options.census.whoWasOn(row.device, row.takenAtMs)?.encounter !== encounter)
      return 'it is not of this stay';
    if (row.value === null || row.validity === 'invalid') return 'it has no usable number';
    return row.reason === 'demo' || row.reason === 'test' ? 'it is demo or test data' : undefined;
  }

  private async find(name: ObservationName): Promise<StoredRow | undefined> {
    const { device, metric, channel, takenAtMs, boot, seq } = name;
    const span = { device, metrics: [seriesKey(metric, channel)], fromMs: takenAtMs, toMs: takenAtMs + 1 };
    const { rows } = await this.options.historian.range([span], { limit: rowsAtAnInstant });
    return rows.find((row) => row.boot === boot && row.seq === seq && row.takenAtMs === takenAtMs);
  }

  /** One message of the stay's own source; answered when it is on disk. */
  private async write(
    by: Actor,
    encounter: EncounterId,
    takenAtMs: number,
    entries: readonly { readonly metric: string; readonly said: Said; readonly unit: string }[],
  ): Promise<readonly Charted[] | 'not-recorded'> {
    if (!this.options.intake.recording) return 'not-recorded';
    const device = chartedSource(encounter);
    const boot = chartedBoot(by.id, this.run);
    const seq = this.nextSeq(`${device} ${boot}`);
    const values = Object.fromEntries(
      entries.map(({ metric, said }) => [metric, 'value' in said ? said.value : said]),
    );
    const clockMs = this.options.clock.nowMs();
    // Its clock is ours: said, because a value may have been taken long ago and is believed all the same.
    await this.publish(device, 'state', { boot, seq, link: 'birth', clockMs });
    await this.publish(device, 'observations', { boot, seq, takenAtMs, values });
    if (!this.options.intake.recording) return 'not-recorded';
    return entries.map(({ metric, said, unit }) => ({
      device,
      ...splitKey(metric),
      takenAtMs,
      boot,
      seq,
      ...said,
      unit,
    }));
  }

  private publish(device: string, branch: 'state' | 'observations', message: object): Promise<void> {
    const payload = Buffer.from(JSON.stringify(message));
    const topic = { kind: 'device', device, branch } as const;
    return new Promise((resolve) =>
      this.options.intake.take({ topic, payload, will: false }, () => resolve()),
    );
  }

  private nextSeq(source: string): number {
    const next = (this.counters.get(source) ?? this.firstSeq()) + 1;
    this.counters.delete(source);
    this.counters.set(source, next);
    const [oldest] = this.counters.keys();
    if (this.counters.size > sourceBound && oldest !== undefined) this.counters.delete(oldest);
    return next;
  }

  /** A source forgotten by the bound goes on beyond everything it said: microseconds only go forward. */
  private firstSeq(): number {
    return Math.floor(this.options.clock.monotonicMs() * 1_000);
  }
}

const nameOf = ({ device, metric, channel, takenAtMs, boot, seq }: StoredRow): ObservationName => ({
  device,
  metric,
  ...(channel === undefined ? {} : { channel }),
  takenAtMs,
  boot,
  seq,
});
