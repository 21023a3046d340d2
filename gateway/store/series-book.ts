/** Which series there are, by number, and the newest observation of each. */
import { splitKey } from '../../model/observation.ts';
import type { TextValue } from './columns.ts';

export interface Series {
  readonly id: number;
  readonly device: string;
  readonly metric: string;
  readonly channel: string;
}

/** The newest observation of a series as it stands in the database. */
export interface LatestRow {
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly value: number;
  readonly flags: number;
  readonly reason: number;
  readonly seq: number;
  readonly boot: string;
  readonly text: TextValue | undefined;
}

/** The series of one device by the number of their key. */
export interface DeviceSeries {
  readonly device: string;
  readonly byKey: (number | undefined)[];
  readonly ids: number[];
}

export const notSeen = -2;
export const inDatabase = -1;

export class SeriesBook {
  readonly all: (Series | undefined)[] = [];
  readonly latest: (LatestRow | undefined)[] = [];
  /** Time of the newest observation of each series, −Infinity when there is none. */
  newestTaken = new Float64Array(1024).fill(-Infinity);
  /** Where it stands: a row of the head, `inDatabase` or `notSeen`. */
  newestAt = new Int32Array(1024).fill(notSeen);
  /** Series made since they were last written down. */
  readonly fresh: Series[] = [];
  private readonly devices = new Map<string, DeviceSeries>();
  private readonly keys = new Map<string, number>();
  count = 0;

  key(text: string): number {
    const known = this.keys.get(text);
    if (known !== undefined) return known;
    this.keys.set(text, this.keys.size);
    return this.keys.size - 1;
  }

  device(device: string): DeviceSeries {
    let found = this.devices.get(device);
    if (!found) {
      found = { device, byKey: [], ids: [] };
      this.devices.set(device, found);
    }
    return found;
  }

  known(device: string): DeviceSeries | undefined {
    return this.devices.get(device);
  }

  make(device: DeviceSeries, key: string): number {
    const { metric, channel = '' } = splitKey(key);
    const series = { id: Math.max(1, this.all.length), device: device.device, metric, channel };
    this.add(series, key);
    this.fresh.push(series);
    return series.id;
  }

  /** A series as the database names it. */
  add(
    series: Series,
    key = series.channel === '' ? series.metric : `${series.metric}/${series.channel}`,
  ): void {
    this.all[series.id] = series;
    this.grow(series.id);
    const device = this.device(series.device);
    device.byKey[this.key(key)] = series.id;
    device.ids.push(series.id);
    this.count++;
  }

  setLatest(id: number, row: LatestRow): void {
    this.latest[id] = row;
    this.newestTaken[id] = row.takenAtMs;
    this.newestAt[id] = inDatabase;
  }

  /** Forgets a series of which nothing is kept any more. */
  remove(id: number): void {
    const series = this.all[id];
    if (!series) return;
    const device = this.device(series.device);
    device.byKey.splice(
      0,
      device.byKey.length,
      ...device.byKey.map((known) => (known === id ? undefined : known)),
    );
    device.ids.splice(device.ids.indexOf(id), 1);
    if (device.ids.length === 0) this.devices.delete(series.device);
    this.all[id] = undefined;
    this.latest[id] = undefined;
    this.newestTaken[id] = -Infinity;
    this.newestAt[id] = notSeen;
    this.count--;
  }

  private grow(id: number): void {
    if (id < this.newestTaken.length) return;
    const taken = new Float64Array(id * 2).fill(-Infinity);
    taken.set(this.newestTaken);
    const at = new Int32Array(id * 2).fill(notSeen);
    at.set(this.newestAt);
    this.newestTaken = taken;
    this.newestAt = at;
  }
}
