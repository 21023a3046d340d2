import type { Alarm, AlarmLimit, AlertState } from '../../model/alarm.ts';
import type { Device, Link, Mode } from '../../model/device.ts';
import type { Chance } from '../../model/ids.ts';
import { metrics } from '../../model/metric-table.ts';
import type { Reason, Validity } from '../../model/observation.ts';
import { splitKey } from '../../model/observation.ts';
import { openScores } from '../../gateway/alarm/scores/open.ts';
import type { LiveScores } from '../../gateway/alarm/scores/live-scores.ts';
import { createAlarms, type AlarmCause, type AlarmLatency, type Alarms } from '../../gateway/alarm/engine.ts';
import { openCensus, type Census, type CensusAct } from '../../gateway/census/census.ts';
import type { LiveSeries, SeriesWatch } from '../../gateway/intake/types.ts';
import { memoryRows, type MemoryRows } from './memory-rows.ts';
import { virtualClock, type VirtualClock } from './virtual-clock.ts';

export const anna = { id: 'anna', name: 'Anna' };

/** Ids that repeat: alarm-1, association-2 … */
export function countedChance(): Chance {
  let made = 0;
  return {
    id: (prefix) => `${prefix}-${++made}`,
    hex: (bits) => (++made).toString(16).padStart(bits / 4, '0'),
    fraction: () => 0.5,
  };
}

export interface Told {
  readonly alarm: Alarm;
  readonly cause: AlarmCause;
}

/** What a device says of one of its values. */
export type Said = number | { value: number | null; validity?: Validity; reason?: Reason } | { code: string };

/** Census and alarms of one ward on a virtual clock; the test speaks as the intake would. */
export class AlarmHouse {
  readonly clock: VirtualClock;
  readonly rows: MemoryRows;
  readonly census: Census;
  readonly alarms: Alarms;
  readonly devices: Map<string, Device>;
  readonly told: Told[] = [];
  readonly latencies: AlarmLatency[] = [];
  readonly audit: CensusAct[];
  private readonly series = new Map<string, MutableSeries>();

  constructor(parts: {
    clock: VirtualClock;
    rows: MemoryRows;
    census: Census;
    alarms: Alarms;
    devices: Map<string, Device>;
    audit: CensusAct[];
    latencies: AlarmLatency[];
  }) {
    this.clock = parts.clock;
    this.rows = parts.rows;
    this.census = parts.census;
    this.alarms = parts.alarms;
    this.devices = parts.devices;
    this.audit = parts.audit;
    this.latencies = parts.latencies;
    this.alarms.onChange((alarm, cause) => this.told.push({ alarm, cause }));
  }

  /** One live message, taken and received now unless said otherwise. */
  say(
    device: string,
    values: Readonly<Record<string, Said>>,
    when: { takenAtMs?: number; historical?: boolean } = {},
  ): void {
    const receivedAtMs = this.clock.nowMs();
    const takenAtMs = when.takenAtMs ?? receivedAtMs;
    const historical = when.historical ?? false;
    for (const [key, told] of Object.entries(values)) {
      if (typeof told !== 'number' && 'code' in told) {
        const coded = this.seriesOf(device, key);
        coded.latest = { takenAtMs, receivedAtMs, value: null, ...told, validity: 'valid', historical };
        continue;
      }
      const said: Exclude<Said, { code: string }> = told;
      const {
        value,
        reason,
        validity = value === null ? 'invalid' : 'valid',
      } = typeof said === 'number' ? { value: said } : said;
      const series = this.seriesOf(device, key);
      if (takenAtMs >= (series.latest?.takenAtMs ?? 0)) {
        series.latest = {
          takenAtMs,
          receivedAtMs,
          value,
          validity,
          historical,
          ...(reason ? { reason } : {}),
        };
      }
      if (value === null || validity === 'invalid') {
        if (!historical) this.alarms.unusable(series);
      } else series.watch?.sample(takenAtMs, value, validity === 'questionable', historical, receivedAtMs);
    }
    if (!historical) this.alarms.messageTaken(device, receivedAtMs);
  }

  /** The same message every second for that long, the first one now. */
  async saySeconds(device: string, values: Readonly<Record<string, Said>>, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.say(device, values);
      await this.clock.pass(1_000);
    }
  }

  state(device: string, link: Link, mode?: Mode): void {
    this.alarms.deviceState(device, { link, ...(mode ? { mode } : {}) });
  }

  /** What the device says of itself now; what it does not name is over. */
  alert(device: string, ...alerts: readonly Partial<AlertState>[]): void {
    const told = alerts.map((one): AlertState => {
      const code = one.code ?? one.alertId ?? one.text ?? 'alert';
      const made = { alertId: code, code, text: code, phase: 'start', priority: 'high' } as const;
      return { ...made, type: 'physiological', ...one };
    });
    this.alarms.messageTaken(device, this.clock.nowMs());
    this.alarms.alerts(device, told, true, this.clock.nowMs());
  }

  /** The same list every second for that long, with the same values. */
  async alertSeconds(
    device: string,
    alerts: readonly Partial<AlertState>[],
    seconds: number,
    values: Readonly<Record<string, Said>> = {},
  ): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.say(device, values);
      this.alert(device, ...alerts);
      await this.clock.pass(1_000);
    }
  }

  /** Present alarms by condition (limit alarms as `limit spo2 low` …), highest priority first. */
  present(): string[] {
    return this.alarms.active().map(nameOf).sort();
  }

  one(condition: string): Alarm {
    const found = this.alarms.active().filter((alarm) => nameOf(alarm) === condition);
    const [alarm] = found;
    if (!alarm || found.length > 1) throw new Error(`${found.length} of ${condition}: ${this.present()}`);
    return alarm;
  }

  /** The process is killed and started again after `downMs`. */
  async restart(downMs = 3_000): Promise<AlarmHouse> {
    const rows = this.rows.killed();
    this.alarms.close();
    this.census.close();
    await this.clock.pass(downMs);
    return openAlarmHouse({ clock: this.clock, rows, devices: this.devices, keptFrom: this });
  }

  lastMessageAtMs(device: string): number | undefined {
    const newest = [...this.series.values()].flatMap((one) =>
      one.device === device && one.latest ? [one.latest.receivedAtMs] : [],
    );
    return newest.length > 0 ? Math.max(...newest) : undefined;
  }

  /** All series of a device, as the intake holds them. */
  allSeriesOf(device: string): LiveSeries[] {
    return [...this.series.values()].filter((one) => one.device === device);
  }

  /** The scores of this house, as they would be after a start now. */
  openScores(): Promise<LiveScores> {
    return openScores({
      clock: this.clock,
      rows: this.rows.alarmRows,
      census: this.census,
      alarms: this.alarms,
      seriesOf: (device) => this.allSeriesOf(device),
      audit: (act) => this.audit.push(act),
      settings: { charts: '', scoreAgeContinuousS: 900, scoreAgeEpisodicS: 3_600 },
    });
  }

  private seriesOf(device: string, key: string): MutableSeries {
    const name = `${device} ${key}`;
    let series = this.series.get(name);
    if (!series) {
      const { metric: metricId, channel } = splitKey(key);
      series = {
        device,
        key,
        metricId,
        channel,
        metric: metrics.get(metricId),
        latest: undefined,
        watch: undefined,
      };
      this.series.set(name, series);
      this.alarms.seriesSeen(series);
    }
    return series;
  }
}

interface MutableSeries extends LiveSeries {
  latest: LiveSeries['latest'];
  watch: SeriesWatch | undefined;
}

export const nameOf = (alarm: Alarm): string =>
  alarm.condition === 'limit'
    ? `limit ${metrics.get(alarm.metric ?? '')?.label ?? alarm.metric} ${alarm.direction}`
    : alarm.condition;

export async function openAlarmHouse(
  parts: {
    clock?: VirtualClock;
    rows?: MemoryRows;
    devices?: Map<string, Device>;
    keptFrom?: AlarmHouse;
  } = {},
): Promise<AlarmHouse> {
  const clock = parts.clock ?? virtualClock();
  const rows = parts.rows ?? memoryRows();
  const devices = parts.devices ?? new Map<string, Device>();
  const chance = parts.keptFrom ? offsetChance(clock.nowMs()) : countedChance();
  const audit: CensusAct[] = [];
  const census = await openCensus({
    rows,
    clock,
    chance,
    audit: (act) => audit.push(act),
    knowsDevice: (id) => devices.has(id),
    toReview: (bed) => alarms.review.at(bed).entries.length,
  });
  const latencies: AlarmLatency[] = [];
  const alarms: Alarms = await createAlarms({
    clock,
    chance,
    rows: rows.alarmRows,
    census,
    device: (id) => devices.get(id),
    keptAtMs: (id) => parts.keptFrom?.lastMessageAtMs(id),
    latency: (measured) => latencies.push(measured),
  });
  return new AlarmHouse({ clock, rows, census, alarms, devices, audit, latencies });
}

const offsetChance = (seed: number): Chance => {
  const counted = countedChance();
  return { ...counted, id: (prefix) => `${counted.id(prefix)}-${seed}` };
};

export const device = (id: string, more: Partial<Device> = {}): Device => ({
  id,
  label: id,
  ward: 'icu',
  duty: 'in-use',
  periodMs: 1_000,
  ...more,
});

/** A ward with `beds` beds; each has a device `mon-n` that is associated with an admitted patient. */
export async function openWard(beds = 1, more: Partial<Device> = {}): Promise<AlarmHouse> {
  const house = await openAlarmHouse();
  await house.census.addWard(anna, { id: 'icu', name: 'ICU', profile: 'adult' });
  for (let number = 1; number <= beds; number++) {
    const bed = `bed-${number}`;
    await house.census.addBed(anna, { id: bed, ward: 'icu', label: `${number}` });
    house.devices.set(`mon-${number}`, device(`mon-${number}`, { bed, ...more }));
    const stay = await house.census.admit(anna, { ward: 'icu', bed, patient: { mrn: `mrn-${number}` } });
    if (typeof stay === 'string') throw new Error(stay);
    const begun = await house.census.associate(anna, {
      device: `mon-${number}`,
      bed,
      encounter: stay.id,
    });
    if (typeof begun === 'string') throw new Error(begun);
  }
  return house;
}

export async function limits(
  house: AlarmHouse,
  bed: string,
  wanted: readonly (Pick<AlarmLimit, 'metric' | 'direction' | 'priority'> & {
    value: number | null;
    delayS?: number;
  })[],
): Promise<void> {
  const encounter = house.census.encounters({ open: true }).find((one) => one.bed === bed);
  const set = await house.census.setLimits(anna, encounter?.id ?? '', wanted, 'for this patient');
  if (!Array.isArray(set)) throw new Error(JSON.stringify(set));
}

export const SPO2 = 'MDC_PULS_OXIM_SAT_O2';
export const HR = 'MDC_ECG_HEART_RATE';
export const PR = 'MDC_PULS_OXIM_PULS_RATE';
export const RR = 'MDC_RESP_RATE';
export const NIBP = 'MDC_PRESS_BLD_NONINV_SYS';
