import { join } from 'node:path';
import type { Journal } from '../../journal/types.ts';
import type { Clock } from '../../model/clock.ts';
import type { Fault } from '../../model/fault.ts';
import type { Config } from '../config/schema.ts';
import type { House } from '../house.ts';
import type { Loss } from '../intake/ledger.ts';
import { bedOf } from '../joints.ts';
import { createLiveWaves } from '../live/waves.ts';
import type { Whose } from '../query/types.ts';
import { WaveformService } from './service.ts';
import { keepStrips } from './strips.ts';
import { openWaveforms, type Waveforms } from './waveforms.ts';

export interface WaveformRoomOptions {
  /** The gateway's data folder. */
  readonly folder: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly settings: Config['waveforms'];
  readonly told: (fault: Fault) => void;
  readonly enter: (losses: readonly Loss[]) => void;
}

const dayMs = 86_400_000;

/** The store of waveforms as the configuration wants it; what its bound costs goes to the loss ledger. */
export const openWaveformRoom = ({
  folder,
  settings,
  enter,
  ...rest
}: WaveformRoomOptions): Promise<Waveforms> =>
  openWaveforms({
    ...rest,
    folder: join(folder, 'waveforms'),
    retentionMs: settings.retentionHours * 3_600_000,
    maxBytes: settings.maxBytes,
    stripRetentionMs: settings.stripRetentionDays * dayMs,
    stripMaxBytes: settings.stripMaxBytes,
    deadlineMs: settings.queryDeadlineMs,
    lost: ({ blocks, fromMs, toMs }) =>
      enter([
        { device: '*', metric: 'waveforms', fromMs, toMs, observations: blocks, why: 'waveforms-bound' },
      ]),
  });

/** Live waves for those who draw them, and a strip for each physiological alarm. */
export function joinWaveforms(house: House, settings: Config['waveforms']): void {
  const { clock, census, alarms, waveforms } = house;
  house.liveWaves = createLiveWaves({
    clock,
    bed: (bed) => census.bed(bed),
    bedOf: (device) => bedOf(house, device),
  });
  const strips = keepStrips({
    clock,
    waveforms,
    spansOf: (whose, fromMs, toMs) => census.spansOf(whose, fromMs, toMs),
    beforeMs: settings.stripBeforeS * 1_000,
    afterMs: settings.stripAfterS * 1_000,
  });
  alarms.onChange((alarm) => strips.alarmChanged(alarm));
  // Raised just before the start: the order may not have come to disk. Ordered twice is ordered once.
  for (const alarm of alarms.active()) strips.alarmChanged(alarm);
}

/** What the API asks of waveforms: kept ones, strips, live ones. */
export function waveformServiceOf(
  { waveforms, census, liveWaves }: House,
  { known, demo }: { readonly known: (whose: Whose) => boolean; readonly demo: boolean },
) {
  const kept = new WaveformService({
    waveforms,
    spansOf: (whose, fromMs, toMs) => census.spansOf(whose, fromMs, toMs),
    known,
    demo,
  });
  return {
    range: kept.range.bind(kept),
    strip: kept.strip.bind(kept),
    subscribe: liveWaves.subscribe.bind(liveWaves),
  };
}
