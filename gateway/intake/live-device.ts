import type { Metric } from '../../model/metric.ts';
import { splitKey, type Reason, type Validity } from '../../model/observation.ts';
import type { Identity, Link, Mode } from '../../model/device.ts';
import type { FaultReport } from '../../model/fault.ts';
import { batchName, deviceName, type BatchName } from '../../journal/observation-batch.ts';
import type { JournalClass } from '../../journal/types.ts';
import { hashText } from './digest.ts';
import { DeviceClock } from './device-clock.ts';
import { DeviceSeen } from './seen.ts';
import type { DeviceHour } from './tallies.ts';
import type { LatestSample, LiveSeries, SeriesWatch } from './types.ts';

/** A device sends at most this many series; more are quarantined. */
export const seriesBound = 512;

/** The newest sample, overwritten in place: one object a series, not one a sample. Readers copy. */
export class Sample implements LatestSample {
  takenAtMs = 0;
  receivedAtMs = 0;
  value: number | null = null;
  text: string | undefined = undefined;
  code: string | undefined = undefined;
  reason: Reason | undefined = undefined;
  validity: Validity = 'valid';
  historical = false;
}

export class Series implements LiveSeries {
  readonly device: string;
  readonly key: string;
  readonly keyHash: number;
  readonly metricId: string;
  readonly channel: string | undefined;
  readonly metric: Metric | undefined;
  readonly name: BatchName;
  readonly low: number;
  readonly high: number;
  readonly episodic: boolean;
  latest: Sample | undefined = undefined;
  watch: SeriesWatch | undefined = undefined;

  constructor(device: string, key: string, metric: Metric | undefined, name: BatchName) {
    const { metric: metricId, channel } = splitKey(key);
    this.device = device;
    this.key = key;
    this.keyHash = hashText(key);
    this.metricId = metricId;
    this.channel = channel;
    this.metric = metric;
    this.name = name;
    this.low = metric?.span?.[0] ?? -Infinity;
    this.high = metric?.span?.[1] ?? Infinity;
    this.episodic = metric?.episodic ?? false;
  }
}

/** Series keys are shared by all devices, so that a batch names each once. */
export class KeyNames {
  private readonly names = new Map<string, BatchName>();
  of(key: string): BatchName {
    let name = this.names.get(key);
    if (!name) this.names.set(key, (name = batchName(key)));
    return name;
  }
}

/** Whose name in a batch it is. */
const owners = new WeakMap<BatchName, LiveDevice>();
export const ownerOf = (name: BatchName): LiveDevice | undefined => owners.get(name);

/** One device as the intake holds it: its series, what it sent already, its clock, its state. */
export class LiveDevice {
  readonly id: string;
  readonly series = new Map<string, Series>();
  /** Waveforms it has sent, by metric and channel. */
  readonly waves = new Set<string>();
  readonly seen = new DeviceSeen();
  readonly clock = new DeviceClock();
  private readonly bootNames = new Map<string, BatchName>();
  link: Link | 'never-seen' = 'never-seen';
  mode: Mode = 'operating';
  identity: Identity | undefined = undefined;
  fault: FaultReport | undefined = undefined;
  /** The birth that counts now: a death must carry its boot and at least its seq − 1. */
  birth: { readonly boot: string; readonly seq: number } | undefined = undefined;
  lastMessageAtMs: number | undefined = undefined;
  /** Receipt of the newest observation known to be on disk; from an earlier run of the process until one is kept. */
  lastKeptAtMs: number | undefined = undefined;
  /** Until the first message after an unclean stop: the span before it may be lost. */
  spanInDoubt = false;
  /** False: its newest message came with QoS 0, so what is lost on its way is lost by design. */
  confirmed = true;
  /** The hour each class counted in last. */
  readonly hours: Partial<Record<JournalClass, DeviceHour>> = {};
  received = 0;
  duplicates = 0;
  quarantined = 0;
  messages = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Device and boot as one name in a batch; the few newest are remembered. */
  bootName(boot: string): BatchName {
    let name = this.bootNames.get(boot);
    if (!name) {
      if (this.bootNames.size >= 8) this.bootNames.clear();
      this.bootNames.set(boot, (name = deviceName(this.id, boot)));
      owners.set(name, this);
    }
    return name;
  }
}
