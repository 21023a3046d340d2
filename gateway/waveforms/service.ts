import type { AttributedSpan, Whose } from '../query/types.ts';
import type { StripOrder, WaveAnswer, WaveWriting } from './protocol.ts';
import type { Waveforms } from './waveforms.ts';

export interface WaveformQuery extends Whose {
  readonly metrics?: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly width?: number;
  readonly writing: WaveWriting;
  /** Whether the asking person may see this stretch. */
  readonly visible: (span: AttributedSpan) => boolean;
}

export interface WaveformServiceOptions {
  readonly waveforms: Pick<Waveforms, 'range' | 'strip'>;
  readonly spansOf: (whose: Whose, fromMs: number, toMs: number) => readonly AttributedSpan[];
  /** Whether there is such a patient, encounter, bed or device. */
  readonly known: (whose: Whose) => boolean;
  readonly demo: boolean;
}

/**
 * Waveforms by person or place: whose they were comes from the association history at the moment of asking, as for
 * observations.
 */
export class WaveformService {
  private readonly options: WaveformServiceOptions;

  constructor(options: WaveformServiceOptions) {
    this.options = options;
  }

  /** A JSON document in pieces of at most 64 kB, oldest samples first. */
  async range(query: WaveformQuery): Promise<WaveAnswer | 'absent'> {
    const { waveforms, spansOf, known, demo } = this.options;
    if (!known(query)) return 'absent';
    const { fromMs, toMs, width, writing, metrics } = query;
    const spans = spansOf(query, fromMs, toMs)
      .filter((span) => query.visible(span))
      .map(({ device, fromMs: from, toMs: to, patient, encounter, bed }) => ({
        device,
        fromMs: from,
        toMs: to,
        said: { patient, encounter, bed },
        unplaced: query.device !== undefined,
      }));
    return waveforms.range({ spans, metrics, fromMs, toMs, width, writing, said: { demo } });
  }

  /** The strip of an alarm; 'absent' for one that never had any, or has none any more. */
  async strip(
    alarm: string,
    writing: WaveWriting,
  ): Promise<{ strip: StripOrder; answer: WaveAnswer } | 'absent'> {
    const { waveforms, demo } = this.options;
    return (await waveforms.strip({ alarm, writing, demo })) ?? 'absent';
  }
}
