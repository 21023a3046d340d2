import type { Clock } from '../model/clock.ts';
import type { Chance, DeviceId } from '../model/ids.ts';
import type { WaveformMessage, WireValue } from '../model/wire.ts';
import type { Mischief } from './mischief.ts';
import { atOnceAndEvery, type PatientSource } from './patient.ts';
import type { Patient } from './recording.ts';
import { createLink, type WearableLink } from './wearable-link.ts';
import { createOutbox } from './wearable-outbox.ts';
import type { TakenWave } from './waves.ts';

export interface WearableOptions {
  /** `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** The device's id: client id and user name. */
  readonly clientId: DeviceId;
  readonly secret: string;
  readonly patient: PatientSource;
  readonly clock: Clock;
  /** For jitter. */
  readonly chance: Chance;
  /** Which start of this device it is: 64 random bits that no start before had. */
  readonly boot: string;
  /** What the wearable's clock is off by; `none` has no clock and tells only ages. Default 0. */
  readonly clockOffsetMs?: number | 'none';
  /** Observations it keeps while nobody takes them; the oldest go first. Default 3,600: an hour. */
  readonly keepAtMost?: number;
  /** Not confirmed at a time; default 20. */
  readonly unconfirmedAtMost?: number;
  /** What its leads and its clip have taken since the last call; told twice a second, and never kept: it has no room for it. */
  readonly waves?: () => readonly TakenWave[];
  /** Done to what it sends, and to its connection. */
  readonly mischief?: Mischief;
}

export interface Wearable {
  readonly boot: string;
  /** Running counters; `fellAway` is what its own bound cost. */
  counts(): {
    readonly taken: number;
    readonly confirmed: number;
    readonly waiting: number;
    readonly fellAway: number;
  };
  connected(): boolean;
  /** Says death and leaves. */
  close(): Promise<void>;
}

const waveEveryMs = 500;

/**
 * A wearable that speaks the device contract v1 itself: one message a second, QoS 1, a boot of its own, one seq counter,
 * a will and a birth for each connection, what was not confirmed sent again under its seq.
 */
export function startWearable(options: WearableOptions): Wearable {
  const { clock, patient, boot } = options;
  let seq = 0;
  const outbox = createOutbox(options.keepAtMost ?? 3_600);
  const link = createLink(options, {
    boot,
    nextSeq: () => ++seq,
    outbox,
    deviceTimeMs: () => deviceTimeMs(options),
  });

  const stop = atOnceAndEvery(clock, 1_000, () => {
    const takenAtMs = deviceTimeMs(options);
    outbox.add({ seq: ++seq, takenMonoMs: clock.monotonicMs(), takenAtMs, values: values(patient()) });
    link.pump();
  });
  const stopWaves = clock.every(waveEveryMs, () => {
    for (const wave of options.waves?.() ?? []) sendWave(options, link, { wave, seq: () => ++seq });
  });
  return {
    boot,
    counts: () => outbox.counts(),
    connected: () => link.connected(),
    close: async () => {
      stop();
      stopWaves();
      await link.close();
    },
  };
}

/** Longer ones (of a time without a connection) are of no use to anybody who watches. */
const longestBlockMs = 5_000;

/** A wave nobody takes now is gone; without a clock of its own the wearable has no time to put beside it. */
function sendWave(
  options: WearableOptions,
  link: WearableLink,
  { wave, seq }: { wave: TakenWave; seq: () => number },
): void {
  const nowMs = deviceTimeMs(options);
  const { samples, metric, periodUs, gain, offset, takenMonoMs } = wave;
  const ageMs = options.clock.monotonicMs() - takenMonoMs;
  if (nowMs === undefined || !link.connected() || ageMs > longestBlockMs) return;
  const message: WaveformMessage = {
    boot: options.boot,
    seq: seq(),
    metric,
    takenAtMs: nowMs - ageMs,
    ageMs,
    periodUs,
    gain,
    offset,
    samples: Buffer.from(samples.buffer).toString('base64'),
  };
  link.sendWave(message.seq, Buffer.from(JSON.stringify(message)));
}

const deviceTimeMs = ({ clock, clockOffsetMs = 0 }: WearableOptions): number | undefined =>
  clockOffsetMs === 'none' ? undefined : clock.nowMs() + clockOffsetMs;

/** A patch and a finger clip: heart rate, SpO2 and pulse, respiration. */
export function values({ seen, temp }: Patient): Record<string, WireValue> {
  const noFinger = seen.spo2 === undefined && seen.pr === undefined;
  const or = (value: number | undefined, reason: 'sensor-off' | 'searching' | 'not-measured'): WireValue =>
    value ?? { value: null, reason };
  return {
    MDC_ECG_HEART_RATE: or(seen.hr, 'sensor-off'),
    MDC_PULS_OXIM_SAT_O2: or(seen.spo2, noFinger ? 'sensor-off' : 'searching'),
    MDC_PULS_OXIM_PULS_RATE: or(seen.pr, noFinger ? 'sensor-off' : 'searching'),
    MDC_RESP_RATE: or(seen.rr, 'not-measured'),
    ...(temp && { MDC_TEMP: temp.celsius }),
  };
}
