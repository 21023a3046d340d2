import {
  batchName,
  deviceName,
  ObservationBatchBuilder,
  type BatchName,
} from '../journal/observation-batch.ts';
import type { BodyFacts } from '../journal/types.ts';
import { seriesKey, type Observation } from '../model/observation.ts';
import { loadRecording, recordingNames, type Column, type Recording } from '../simulators/recording.ts';

/** One second of one device: what its driver saw, from recorded patients. */
export interface DayMessage {
  readonly device: string;
  readonly boot: string;
  readonly seq: number;
  readonly receivedAtMs: number;
  readonly observations: readonly Observation[];
}

export interface DaySpec {
  readonly devices: number;
  readonly fromMs: number;
  readonly seconds: number;
  /** `looped` (usual): each device plays one again and again; `in turn`: one after the other, so that nothing repeats soon. */
  readonly recordings?: 'looped' | 'in turn';
}

const metricOf: Partial<Record<Column, string>> = {
  hr: 'MDC_ECG_HEART_RATE',
  pr: 'MDC_PULS_OXIM_PULS_RATE',
  spo2: 'MDC_PULS_OXIM_SAT_O2',
  rr: 'MDC_TTHOR_RESP_RATE',
};
export const dayDevice = (at: number): string => `device-${at}`;
/** The eight series of every device: four of one recorded patient, four of another as the second channel. */
export const daySeries: readonly string[] = Object.values(metricOf).flatMap((metric) => [
  metric,
  seriesKey(metric, '2'),
]);
const mostJitterMs = 20;
/** Each bedside recording is eight minutes at 1 Hz. */
const recordingS = 480;
/** From the instant of measurement to the front door. */
const leastDelayMs = 4;
const mostDelayMs = 40;

/** Recordings of the bedside monitors played over and over: their own gaps, each second up to 20 ms off. */
export function* playDay(spec: DaySpec): Generator<DayMessage> {
  const { devices, fromMs, seconds } = spec;
  const recordings = recordingNames()
    .filter((name) => name.startsWith('icu_b'))
    .map((name) => loadRecording(name));
  const chance = drawn(20_261_121);
  for (let second = 0; second < seconds; second++) {
    const turn = spec.recordings === 'in turn' ? Math.floor(second / recordingS) : 0;
    for (let at = 0; at < devices; at++) {
      const takenAtMs = fromMs + second * 1_000 + Math.round((chance() * 2 - 1) * mostJitterMs);
      const observations = [
        ...seenAt(recordings[(2 * at + turn) % recordings.length], second, takenAtMs),
        ...seenAt(recordings[(2 * at + 1 + turn) % recordings.length], second, takenAtMs, '2'),
      ];
      if (observations.length === 0) continue;
      const delayMs = leastDelayMs + Math.floor(chance() * (mostDelayMs - leastDelayMs));
      yield {
        device: dayDevice(at),
        boot: `b7f39e01c4d2a6f${at % 10}`,
        seq: second,
        receivedAtMs: takenAtMs + delayMs,
        observations,
      };
    }
  }
}

function seenAt(
  recording: Recording | undefined,
  second: number,
  takenAtMs: number,
  channel?: string,
): Observation[] {
  const seen = recording?.rows[second % recording.rows.length]?.seen ?? {};
  return Object.entries(metricOf).flatMap(([column, metric]) => {
    const value = seen[column as Column];
    return value === undefined ? [] : [{ metric, channel, takenAtMs, value, validity: 'valid' as const }];
  });
}

/** The same draws every run (mulberry32), so that runs compare. */
function drawn(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const noCounters = { received: 0, kept: 0, ledgered: 0, quarantined: 0, duplicate: 0 };

/** Bodies as the front door makes them. */
export class BodyMaker {
  private readonly builder = new ObservationBatchBuilder();
  private readonly devices = new Map<string, BatchName>();
  private readonly keys = new Map<string, BatchName>();

  get messages(): number {
    return this.builder.messages;
  }

  add({ device, boot, seq, receivedAtMs, observations }: DayMessage): void {
    const { builder } = this;
    builder.message(
      named(this.devices, `${device} ${boot}`, () => deviceName(device, boot)),
      ...([seq, receivedAtMs, 0, 0] as const),
    );
    for (const { metric, channel, takenAtMs, ...seen } of observations) {
      const key = seriesKey(metric, channel);
      const value = 'value' in seen ? (seen.value ?? NaN) : NaN;
      builder.observation(
        named(this.keys, key, () => batchName(key)),
        ...([takenAtMs, value, 0, 0] as const),
      );
    }
  }

  seal(): { body: Uint8Array; facts: BodyFacts } {
    const { messages, observations, firstAtMs, lastAtMs } = this.builder;
    return { facts: { messages, observations, firstAtMs, lastAtMs }, body: this.builder.seal(noCounters) };
  }
}

function named(known: Map<string, BatchName>, word: string, make: () => BatchName): BatchName {
  let name = known.get(word);
  if (!name) known.set(word, (name = make()));
  return name;
}
