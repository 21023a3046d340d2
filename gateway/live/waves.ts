import type { Bed } from '../../model/census.ts';
import type { Cancel, Clock } from '../../model/clock.ts';
import type { BedId, DeviceId } from '../../model/ids.ts';
import type { WavesAsked } from '../../model/stream.ts';
import { packWaveBlock, packWaveFrame } from '../../model/wave-frame.ts';
import type { WaveHead } from '../intake/wave-head.ts';
import { samplesOf } from '../intake/waveform.ts';

/** False: no room; the frame is gone. */
export type SendWaves = (frame: Uint8Array) => boolean;
export interface WaveSubscription {
  /** In place of what was asked before; beds the reader may not see are passed by. */
  ask(waves: readonly WavesAsked[]): void;
  close(): void;
}

/** Waves for those who draw them, beside the live stream. */
export interface LiveWaves {
  /** A live block was taken; int16 little-endian. Costs a look at an empty map while nobody watches. */
  taken(device: DeviceId, wave: WaveHead, bytes: Uint8Array): void;
  subscribe(beds: (bed: Pick<Bed, 'id' | 'ward'>) => boolean, send: SendWaves): WaveSubscription;
  /** How many frames found no room since the start. */
  readonly dropped: number;
  close(): void;
}

export interface LiveWavesHouse {
  readonly clock: Clock;
  bed(bed: BedId): Bed | undefined;
  /** Where the device's tile is. */
  bedOf(device: DeviceId): BedId | undefined;
}

/** What came within one round goes as one frame a bed. */
const roundMs = 225;
/** Waiting for the next round at most, a bed and reader; more is no wave a screen could draw in time. */
const waitingBytes = 256 * 1024;

interface Drawn {
  readonly metrics: ReadonlySet<string> | undefined;
  waiting: Uint8Array[];
  bytes: number;
}

interface WaveReader {
  readonly beds: (bed: Pick<Bed, 'id' | 'ward'>) => boolean;
  readonly send: SendWaves;
  drawn: Map<BedId, Drawn>;
}

export function createLiveWaves({ clock, bed: bedById, bedOf }: LiveWavesHouse): LiveWaves {
  const readers = new Set<WaveReader>();
  /** Who draws a bed now. */
  const drawing = new Map<BedId, Set<WaveReader>>();
  let stop: Cancel | undefined;
  let dropped = 0;

  const redraw = (): void => {
    drawing.clear();
    for (const reader of readers)
      for (const bed of reader.drawn.keys()) {
        const known = drawing.get(bed) ?? new Set();
        drawing.set(bed, known.add(reader));
      }
    if (drawing.size === 0) {
      stop?.();
      stop = undefined;
    } else stop ??= clock.every(roundMs, round);
  };

  const round = (): void => {
    for (const reader of readers)
      for (const [id, drawn] of reader.drawn) {
        if (drawn.waiting.length === 0) continue;
        const bed = bedById(id);
        const frame = packWaveFrame(id, drawn.waiting);
        drawn.waiting = [];
        drawn.bytes = 0;
        // Asked each time: a bed may have moved to another ward.
        if (bed && reader.beds(bed) && !reader.send(frame)) dropped++;
      }
  };

  return {
    get dropped() {
      return dropped;
    },
    taken(device, wave, bytes) {
      if (drawing.size === 0) return;
      const bed = bedOf(device);
      const watching = bed === undefined ? undefined : drawing.get(bed);
      if (bed === undefined || !watching) return;
      let block: Uint8Array | undefined;
      for (const reader of watching) {
        const drawn = reader.drawn.get(bed);
        if (!drawn || drawn.metrics?.has(wave.metric) === false) continue;
        block ??= packWaveBlock(device, { ...wave, takenAtMs: wave.atMs, samples: samplesOf(bytes) });
        if (drawn.bytes + block.length > waitingBytes) continue;
        drawn.waiting.push(block);
        drawn.bytes += block.length;
      }
    },
    subscribe(beds, send) {
      const reader: WaveReader = { beds, send, drawn: new Map() };
      readers.add(reader);
      return {
        ask: (waves) => {
          reader.drawn = new Map(
            waves.flatMap(({ bed: id, metrics }) => {
              const bed = bedById(id);
              if (!bed || !beds(bed)) return [];
              const drawn = { metrics: metrics && new Set(metrics), waiting: [], bytes: 0 };
              return [[id, drawn] as const];
            }),
          );
          redraw();
        },
        close: () => {
          if (readers.delete(reader)) redraw();
        },
      };
    },
    close() {
      readers.clear();
      redraw();
    },
  };
}
