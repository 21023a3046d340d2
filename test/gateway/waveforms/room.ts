import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WaveHead } from '../../../gateway/intake/wave-head.ts';
import type { WaveformBounds, WaveQuestion } from '../../../gateway/waveforms/protocol.ts';
import { openWaveforms, type Waveforms } from '../../../gateway/waveforms/waveforms.ts';
import { openJournal } from '../../../journal/journal.ts';
import { packRecords } from '../../../journal/record-batch.ts';
import { systemClock } from '../../../model/clock.ts';
import type { Fault } from '../../../model/fault.ts';

export const ecg = 'MDC_ECG_ELEC_POTL_II';
export const clock = systemClock();

export interface RunAnswer {
  readonly fromMs: number;
  readonly periodUs: number;
  readonly gain: number;
  readonly mark?: string;
  readonly values: (number | null)[];
  readonly samples: string;
}
export interface Item {
  readonly device: string;
  readonly metric: string;
  readonly unit: string;
  readonly runs: RunAnswer[];
  readonly min: (number | null)[];
  readonly max: (number | null)[];
}
export interface Answer {
  readonly items: Item[];
  readonly fromMs: number;
  readonly columnMs: number;
  readonly columns: number;
}

export const parse = ({ pieces }: { readonly pieces: readonly Uint8Array[] }): Answer =>
  JSON.parse(Buffer.concat(pieces).toString()) as Answer;

/** Journal and the store of waveforms in one folder, as the gateway has them. */
export async function openWaveRoom(bounds: Partial<WaveformBounds> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vigil-waves-'));
  const faults: Fault[] = [];
  const lost: { blocks: number; fromMs: number; toMs: number }[] = [];
  const journal = await openJournal({
    folder: join(folder, 'journal'),
    segmentBytes: 1 << 20,
    maxBytes: 256 << 20,
    snapshot: () => undefined,
    lost: () => undefined,
    faulty: (fault) => faults.push(fault),
  });
  const open = (): Promise<Waveforms> =>
    openWaveforms({
      folder: join(folder, 'waveforms'),
      journal,
      clock,
      told: (fault) => faults.push(fault),
      lost: (loss) => lost.push(loss),
      ...bounds,
    });
  let waveforms = await open();
  let seq = 0;
  let blocks = 0;

  /** Keeps blocks in the journal as the intake does; resolves when the store has them. */
  const keep = async (
    all: readonly (Partial<WaveHead> & { atMs: number; samples: readonly number[]; device?: string })[],
  ): Promise<void> => {
    const records = all.map(({ samples, device = 'mon-1', ...wave }) => ({
      head: {
        device,
        boot: 'b',
        seq: seq++,
        receivedAtMs: wave.atMs,
        wave: { metric: ecg, periodUs: 4_000, gain: 0.005, offset: 0, marks: 0, ...wave },
      },
      payload: new Uint8Array(Int16Array.from(samples).buffer),
    }));
    const times = all.map(({ atMs }) => atMs);
    const facts = {
      messages: all.length,
      observations: all.length,
      firstAtMs: Math.min(...times),
      lastAtMs: Math.max(...times),
    };
    await new Promise<void>((resolve, reject) =>
      journal.append('waveforms', packRecords(records), facts, (outcome) =>
        outcome === 'kept' ? resolve() : reject(outcome),
      ),
    );
    blocks += all.length;
    await settled();
  };
  /** Waits until the store says that it has all that was kept. */
  const settled = async (): Promise<void> => {
    for (let tries = 0; tries < 400; tries++) {
      await waveforms.flush();
      const { blocks: have } = waveforms.status();
      if (have >= blocks) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`the store has ${waveforms.status().blocks} of ${blocks} blocks`);
  };
  const ask = async (question: Partial<WaveQuestion> & { fromMs: number; toMs: number }): Promise<Answer> => {
    const { fromMs, toMs } = question;
    const span = { device: 'mon-1', fromMs, toMs, said: {}, unplaced: false };
    return parse(await waveforms.range({ spans: [span], writing: 'values', said: {}, ...question }));
  };
  /** A device of its own, so that tests may share a room. */
  const on = (device: string) => ({
    keep: (all: Parameters<typeof keep>[0]) => keep(all.map((one) => ({ ...one, device }))),
    span: (fromMs: number, toMs: number) => ({ device, fromMs, toMs, said: {}, unplaced: false }),
    ask: (question: Partial<WaveQuestion> & { fromMs: number; toMs: number }) => {
      const { fromMs, toMs } = question;
      return ask({ spans: [{ device, fromMs, toMs, said: {}, unplaced: false }], ...question });
    },
    get waveforms() {
      return waveforms;
    },
  });
  return {
    folder,
    journal,
    on,
    faults,
    lost,
    keep,
    settled,
    ask,
    get waveforms() {
      return waveforms;
    },
    reopen: async () => {
      await waveforms.close();
      waveforms = await open();
    },
    [Symbol.asyncDispose]: async () => {
      await waveforms.close();
      await journal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
