import type { Metric } from '../../model/metric.ts';
import type { DeviceId } from '../../model/ids.ts';
import type { AlertState } from '../../model/alarm.ts';
import type { Reason, Validity } from '../../model/observation.ts';
import type { Identity, Link, Mode } from '../../model/device.ts';
import type { FaultReport } from '../../model/fault.ts';
import type { WaveHead } from './wave-head.ts';

/**
 * One series of one device as the main thread holds it: where its samples go and what it said last. Made when the
 * device first sends the key; lives as long as the process.
 */
export interface LiveSeries {
  readonly device: DeviceId;
  /** REFID or REFID/channel. */
  readonly key: string;
  readonly metricId: string;
  readonly channel: string | undefined;
  /** Undefined: a metric Vigil does not know; kept and marked, never judged. */
  readonly metric: Metric | undefined;
  /** The newest by takenAtMs. */
  latest: LatestSample | undefined;
  /** The judge of this series, attached by the alarm room; undefined when no limit reads it. */
  watch: SeriesWatch | undefined;
}

export interface LatestSample {
  readonly takenAtMs: number;
  readonly receivedAtMs: number;
  readonly value: number | null;
  readonly text?: string;
  readonly code?: string;
  readonly reason?: Reason;
  readonly validity: Validity;
  readonly historical: boolean;
}

export interface SeriesWatch {
  /**
   * One numeric sample, in the tick it arrived, before the disk. Invalid, missing, demo, duplicate and unplaced ones
   * never come here; historical ones do, marked (they may move an onset back, CLINICAL 9). Must be cheap and must
   * not throw.
   */
  sample(
    takenAtMs: number,
    value: number,
    questionable: boolean,
    historical: boolean,
    receivedAtMs: number,
  ): void;
}

/** What the intake tells the rooms beside it; all calls in the tick of arrival. */
export interface IntakeListeners {
  /** A series seen for the first time in this process. */
  seriesSeen(series: LiveSeries): void;
  /** A live message of the device was taken (not a duplicate); values of its series are updated. */
  messageTaken(device: DeviceId, receivedAtMs: number): void;
  /** A series' sample is invalid or missing (for "invalid for 10 s" and lost sources); not for historical ones. */
  unusable(series: LiveSeries, takenAtMs: number, reason: Reason | undefined): void;
  /** A live block of samples, as int16 little-endian; nothing is read from it here. Not for historical ones. */
  waveform(device: DeviceId, wave: WaveHead, bytes: Uint8Array): void;
  alerts(device: DeviceId, alerts: readonly AlertState[], complete: boolean, takenAtMs: number): void;
  deviceState(
    device: DeviceId,
    state: {
      readonly link: Link;
      readonly mode?: Mode;
      readonly identity?: Identity;
      readonly fault?: FaultReport;
    },
    receivedAtMs: number,
  ): void;
}
