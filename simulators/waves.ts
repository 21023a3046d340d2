import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../model/clock.ts';
import { Fault } from '../model/fault.ts';
import { recordingsFolder } from './recording.ts';

/** One recorded wave (recordings/README.md), with physical = sample × gain + offset as the device contract has it. */
export interface RecordedWave {
  readonly metric: string;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  /** −32768 = no sample, there and here. */
  readonly samples: Int16Array;
}

/** Samples taken since the last ones, from an instant on. */
export interface TakenWave extends RecordedWave {
  /** Of the first sample, by the monotonic clock. */
  readonly takenMonoMs: number;
}

/** What a channel's file is called, and what it measures. */
const metricOf: Readonly<Record<string, string>> = {
  ii: 'MDC_ECG_ELEC_POTL_II',
  iii: 'MDC_ECG_ELEC_POTL_III',
  avr: 'MDC_ECG_ELEC_POTL_AVR',
  pleth: 'MDC_PULS_OXIM_PLETH',
  resp: 'MDC_RESP',
  abp: 'MDC_PRESS_BLD_ART_ABP',
};

/** Reads channels of a record. Throws SIM_NO_RECORDING. */
export function loadWaves(
  record: string,
  channels: readonly string[],
  folder = recordingsFolder,
): readonly RecordedWave[] {
  return channels.map((channel) => {
    const metric = metricOf[channel];
    const file = join(folder, 'waveforms', record, channel);
    try {
      if (metric === undefined) throw new Error('no such channel');
      const { fs, gain, offset } = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<
        'fs' | 'gain' | 'offset',
        number
      >;
      const samples = new Int16Array(new Uint8Array(readFileSync(`${file}.i16`)).buffer);
      return { metric, periodUs: 1e6 / fs, gain: 1 / gain, offset: -offset / gain, samples };
    } catch (error) {
      const known = Object.keys(metricOf).join(', ');
      throw new Fault('SIM_NO_RECORDING', { name: `${record}/${channel}`, known }, { cause: error });
    }
  });
}

/**
 * Plays waves from when this is called, each at its own pace and again from its begin at its end. Each call answers
 * what was taken since the call before: no sample is left out and none comes twice.
 */
export function playWaves(waves: readonly RecordedWave[], clock: Clock): () => readonly TakenWave[] {
  const startMs = clock.monotonicMs();
  const taken = waves.map(() => 0);
  return () => {
    const sinceUs = (clock.monotonicMs() - startMs) * 1_000;
    return waves.flatMap((wave, at) => {
      const from = taken[at] ?? 0;
      const to = Math.floor(sinceUs / wave.periodUs);
      if (to <= from) return [];
      taken[at] = to;
      const { length } = wave.samples;
      const samples = Int16Array.from({ length: to - from }, (_, index) => {
        return wave.samples[(from + index) % length] ?? 0;
      });
      return [{ ...wave, samples, takenMonoMs: startMs + (from * wave.periodUs) / 1_000 }];
    });
  };
}
