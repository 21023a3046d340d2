import type { Mode } from '../../model/device.ts';
import type { WaveformMessage } from '../../model/wire.ts';
import type { Placed } from './device-clock.ts';

/** Marks of a block: it keeps them wherever it is shown. */
export const waveMarks = { unplaced: 1, demo: 2, clock: 4 } as const;

/** What the journal and the store know of a block beside its samples. */
export interface WaveHead {
  readonly metric: string;
  readonly channel?: string;
  /** Instant of the first sample in the gateway's time: corrected by the device's measured offset, never later than now. */
  readonly atMs: number;
  readonly periodUs: number;
  readonly gain: number;
  readonly offset: number;
  /** waveMarks, added up; 0 = none. */
  readonly marks: number;
}

export function waveHead(
  message: WaveformMessage,
  placed: Placed,
  { mode, samples }: { readonly mode: Mode | undefined; readonly samples: number },
): WaveHead {
  const { metric, channel, periodUs, gain, offset } = message;
  // Placed by its receipt: then its last sample was taken by now, not its first.
  const sinceMs = placed.doubtful && message.ageMs === undefined ? ((samples - 1) * periodUs) / 1_000 : 0;
  const marks =
    (placed.unplaced ? waveMarks.unplaced : 0) +
    (mode === 'demo' || mode === 'test' ? waveMarks.demo : 0) +
    (placed.doubtful ? waveMarks.clock : 0);
  return {
    metric,
    ...(channel ? { channel } : {}),
    atMs: placed.takenAtMs - sinceMs,
    periodUs,
    gain,
    offset,
    marks,
  };
}
